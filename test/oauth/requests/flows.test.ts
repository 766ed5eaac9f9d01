import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { PermissionSet } from "../../../src/core/oauth/permissionSet.ts"
import type { AuthorizationRequest, ResponseMode } from "../../../src/core/oauth/types.ts"
import { redirectFor } from "../../../src/services/oauth/authorize.ts"
import { expandAgain, expandScope, findSets } from "../../../src/services/oauth/expandScope.ts"
import {
  PermissionSetNotFound,
  PermissionSets
} from "../../../src/services/oauth/PermissionSets.ts"

const issuer = "https://pds.example.com"

const requestFor = (redirectUri: string, responseMode: ResponseMode): AuthorizationRequest => ({
  clientId: "https://app.example.com/client-metadata.json",
  redirectUri,
  scope: "atproto",
  state: "a state & more",
  codeChallenge: "x".repeat(43),
  responseMode
})

const wayBack = (redirectUri: string, responseMode: ResponseMode = "query") =>
  redirectFor(issuer, requestFor(redirectUri, responseMode), { code: "cod-1" })

const parameters = "iss=https%3A%2F%2Fpds.example.com&state=a+state+%26+more&code=cod-1"

describe("the redirect to a client", () => {
  it("the redirect is the registered address, unchanged, with the response appended", () => {
    const cases: ReadonlyArray<readonly [string, ResponseMode, string]> = [
      ["https://app.example.com/cb", "query", "https://app.example.com/cb?"],
      ["https://app.example.com/cb?a=%20b", "query", "https://app.example.com/cb?a=%20b&"],
      ["https://app.example.com/cb?a=b", "fragment", "https://app.example.com/cb?a=b#"],
      ["com.example.app:/cb", "query", "com.example.app:/cb?"],
      ["com.example.app:/cb", "fragment", "com.example.app:/cb#"],
      ["http://127.0.0.1:4321", "query", "http://127.0.0.1:4321?"]
    ]
    for (const [redirectUri, mode, start] of cases) {
      assert.deepStrictEqual(wayBack(redirectUri, mode), {
        kind: "redirect",
        url: start + parameters
      })
    }
  })

  it("the response is a form if the client requested one", () => {
    assert.deepStrictEqual(wayBack("https://app.example.com/cb", "form_post"), {
      kind: "form",
      action: "https://app.example.com/cb",
      fields: { iss: issuer, state: "a state & more", code: "cod-1" }
    })
  })

  it("an error also includes the issuer and the state", () => {
    const request = requestFor("https://app.example.com/cb", "query")
    const answer = { error: "access_denied", description: "No, thank you" } as const
    const way = redirectFor(issuer, request, answer)
    assert.strictEqual(way.kind, "redirect")
    const { searchParams } = new URL(way.kind === "redirect" ? way.url : "")
    assert.deepStrictEqual(Object.fromEntries(searchParams), {
      iss: issuer,
      state: "a state & more",
      error: "access_denied",
      error_description: "No, thank you"
    })
  })
})

const postsOnly: PermissionSet = {
  nsid: "com.example.authPosts",
  permissions: [
    { type: "permission", resource: "repo", collection: ["com.example.post"], action: ["create"] }
  ]
}

/** Runs an effect while `posts` is the only set that can be found. */
const withPosts = <A, E>(
  effect: Effect.Effect<A, E, PermissionSets>,
  posts: PermissionSet = postsOnly
) =>
  Effect.provideService(
    effect,
    PermissionSets,
    PermissionSets.of({
      get: (nsid) =>
        nsid === posts.nsid
          ? Effect.succeed(posts)
          : Effect.fail(new PermissionSetNotFound({ nsid, reason: "not there" }))
    })
  )

const known = "atproto include:com.example.authPosts transition:email"
const unknown = `${known} include:com.example.authNone`

describe("permission sets of a scope", () => {
  it.effect("permission sets are expanded when tokens are issued", () =>
    Effect.gen(function* () {
      const granted = yield* withPosts(expandScope(known))
      assert.notInclude(granted, "include:")
      assert.include(granted.split(" "), "atproto")
      assert.include(granted, "repo:com.example.post?action=create")
    })
  )

  it.effect("a missing permission set stops a sign-in but not an existing session", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(withPosts(expandScope(unknown)))
      assert.strictEqual(failure._tag, "PermissionSetNotFound")
      const again = yield* withPosts(expandAgain(unknown))
      assert.strictEqual(again, yield* withPosts(expandScope(known)))
    })
  )

  it.effect(
    "permission sets can't exceed what a session can hold, however short their names are",
    () =>
      Effect.gen(function* () {
        const { nsid } = postsOnly
        const lxm = Array.from({ length: 40 }, (_, at) => `com.example.method${at}`)
        const permissions = lxm.map((one) => ({
          type: "permission",
          resource: "rpc",
          inheritAud: true,
          lxm: [one]
        }))
        const grown = { nsid, permissions }
        const include = (at: number) =>
          `include:${nsid}?aud=did:web:${at}.${"a".repeat(60)}.com%23svc`
        const some = (length: number) =>
          `atproto ${Array.from({ length }, (_, at) => include(at)).join(" ")}`
        assert.include(
          yield* withPosts(expandScope(some(3)), grown),
          "rpc:com.example.method7?aud="
        )
        const failure = yield* Effect.flip(withPosts(expandScope(some(30)), grown))
        assert.strictEqual(failure._tag, "RequestRefused")
        // A set that has grown since removes nothing else.
        assert.strictEqual(yield* withPosts(expandAgain(some(30)), grown), "atproto")
      })
  )

  it.effect("a scope may include ten permission sets, each counted once", () =>
    Effect.gen(function* () {
      const once = `${known} include:com.example.authPosts?aud=did:web:example.com%23svc`
      assert.strictEqual((yield* withPosts(findSets(once))).size, 1)
      const names = Array.from({ length: 11 }, (_, at) => `include:com.example.auth${at}`)
      const failure = yield* Effect.flip(withPosts(findSets(`atproto ${names.join(" ")}`)))
      assert.strictEqual(failure._tag, "RequestRefused")
    })
  )
})
