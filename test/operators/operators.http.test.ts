import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Role, reaches, roles } from "../../src/core/operators/roles.ts"
import { careRoutes } from "../../src/http/accounts/careRoutes.ts"
import { routes } from "../../src/http/host.ts"
import { methods } from "../../src/http/methods.ts"
import { AuditLog } from "../../src/services/operators/AuditLog.ts"
import { ask, withAuthenticator, withPasskey } from "../support/http/accountPages.ts"
import { basic, bearer } from "../support/http/httpHost.ts"
import { goodCall } from "../support/http/httpMethods.ts"
import {
  ok,
  outcomeOf,
  type Person,
  signUp,
  startWorld,
  type World
} from "../support/http/httpWorld.ts"

const minute = 60_000

type Authenticator = Awaited<ReturnType<typeof withAuthenticator>>

let world: World
const people = new Map<Role, Person & { readonly factor: Authenticator }>()

const give = (account: string, role: string, auth = basic()) =>
  world.ask("/admin/operators", { auth, input: { account, role } })

const take = (account: string, auth = basic()) =>
  world.ask("/admin/operators/remove", { auth, input: { account } })

/** Creates a new session with a password and a code. */
const signedIn = async (role: Role): Promise<string> => {
  const { did, password, factor } = people.get(role)!
  world.advance(minute)
  const authFactorToken = factor.totp.generate({ timestamp: world.now() })
  const input = { identifier: did, password, authFactorToken }
  return bearer(ok(await world.call("com.atproto.server.createSession", { input }))["accessJwt"])
}

beforeAll(async () => {
  world = await startWorld()
  for (const role of roles) {
    const person = await signUp(world, `${role}-op`)
    const factor = await withAuthenticator(world, person.did)
    people.set(role, { ...person, factor })
    ok(await give(person.did, role))
  }
})
afterAll(() => world.close())

const takesOperators = methods.flatMap(({ nsid, authority }) =>
  authority.kind === "admin" || authority.kind === "moderator"
    ? [{ nsid, needed: authority.role ?? authority.kind }]
    : []
)

describe("an operator's session", () => {
  for (const role of roles) {
    it(`a ${role}'s session can call exactly the methods of that role, and the audit log names the operator`, async () => {
      assert.isAtLeast(takesOperators.length, 15)
      for (const { nsid, needed } of takesOperators) {
        const asked = await goodCall(world, nsid)
        const auth = await signedIn(role)
        const answer = await world.call(nsid, { ...asked, auth })
        if (reaches(role, needed)) {
          assert.isBelow(answer.status, 300, `${nsid}: ${answer.text}`)
          const log = Effect.flatMap(AuditLog, (audit) => audit.page({ limit: 1 }))
          const [entry] = await world.beneath(log)
          assert.deepInclude(entry, { actor: people.get(role)!.did, act: nsid })
        } else {
          assert.strictEqual(outcomeOf(answer), "403 Forbidden", nsid)
        }
      }
    })
  }

  it("a former operator does nothing more by a request that began before", async () => {
    const { did } = people.get("admin")!
    const other = people.get("moderator")!
    const auth = await signedIn("admin")
    const { alice } = world
    const asked = {
      "/xrpc/com.atproto.admin.updateAccountEmail": {
        account: alice.did,
        email: "new@example.com"
      },
      "/admin/operators": { account: alice.did, role: "admin" },
      "/admin/accounts/quota": { account: alice.did, bytes: 1 }
    }
    for (const [path, input] of Object.entries(asked)) {
      const body = new TextEncoder().encode(JSON.stringify(input))
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
      const writer = writable.getWriter()
      const headers = { "content-type": "application/json" }
      const responded = world.ask(path, { auth, headers, body: readable })
      await writer.write(body.slice(0, 5))
      // Another admin has to stay.
      ok(await give(other.did, "admin"))
      ok(await take(did))
      await writer.write(body.slice(5))
      await writer.close()
      const { status } = await responded
      ok(await give(did, "admin"))
      ok(await give(other.did, "moderator"))
      assert.include([401, 403], status, path)
    }
  })

  it("only an admin's session can use the administrator's paths", async () => {
    const paths = routes.filter(
      ({ path, verb }) =>
        path.startsWith("/admin/") &&
        verb !== "*" &&
        path !== "/admin/codes" &&
        !careRoutes.some((care) => care.path === path)
    )
    assert.isAtLeast(paths.length, 20)
    for (const role of roles) {
      const auth = await signedIn(role)
      for (const { path, verb } of paths) {
        // An admin only reads here: some of the others change the whole server.
        if (role === "admin" && verb !== "GET") continue
        const { status } = await world.ask(path, { auth, method: verb })
        if (role === "admin") assert.notInclude([401, 403], status, path)
        else assert.strictEqual(status, 403, `${verb} ${path}`)
      }
    }
  })

  it("each route for the care of accounts requires its role and rejects lower ones", async () => {
    for (const role of roles) {
      const auth = await signedIn(role)
      for (const { path, verb, role: needed } of careRoutes) {
        const { status } = await world.ask(path, { auth, method: verb })
        if (reaches(role, needed)) assert.notInclude([401, 403], status, path)
        else assert.strictEqual(status, 403, path)
      }
    }
  })

  it("an operator's session is rejected 15 minutes after it began", async () => {
    const auth = await signedIn("admin")
    ok(await world.ask("/admin/operators", { auth }))
    world.advance(15 * minute + 1000)
    assert.strictEqual(
      outcomeOf(await world.ask("/admin/operators", { auth })),
      "401 AuthenticationRequired"
    )
    for (const { nsid } of takesOperators) {
      const answer = await world.call(nsid, { ...(await goodCall(world, nsid)), auth })
      assert.strictEqual(outcomeOf(answer), "401 AuthenticationRequired", nsid)
    }
  })

  it("an operator's session is rejected after the role or the authenticator is removed", async () => {
    const other = await signUp(world, "other-op")
    const factor = await withAuthenticator(world, other.did)
    people.set("moderator", { ...other, factor })
    ok(await give(other.handle, "admin"))
    const auth = await signedIn("moderator")
    ok(await world.ask("/admin/operators", { auth }))
    await ask(world, other.did, "disableAuthenticator")
    const without = await world.ask("/admin/operators", { auth })
    assert.strictEqual(outcomeOf(without), "401 AuthenticationRequired")
    assert.include(without.body["message"], "authenticator")
    ok(await take(other.did))
    const refused = await world.ask("/admin/operators", { auth })
    assert.strictEqual(outcomeOf(refused), "401 AuthenticationRequired")
  })

  it("an app password, a refresh token and a forged token have no role", async () => {
    const { did } = people.get("admin")!
    const auth = await signedIn("admin")
    const [header, claims] = auth.slice(7).split(".")
    const forged = bearer(`${header}.${claims}.${"A".repeat(43)}`)
    for (const bad of [forged, `${auth}x`]) {
      const answer = await world.ask("/admin/operators", { auth: bad })
      assert.isTrue([400, 401].includes(answer.status), answer.text)
    }
    const made = ok(
      await world.call("com.atproto.server.createAppPassword", { auth, input: { name: "x" } })
    )
    const input = { identifier: did, password: made["password"] }
    const app = ok(await world.call("com.atproto.server.createSession", { input }))
    for (const token of [app["accessJwt"], app["refreshJwt"]]) {
      const answer = await world.ask("/admin/operators", { auth: bearer(token) })
      assert.isTrue([400, 401].includes(answer.status), answer.text)
    }
  })
})

describe("/admin/operators", () => {
  it("an account needs an authenticator to get a role, and must exist", async () => {
    assert.strictEqual((await give(world.bob.did, "admin")).status, 400)
    await withPasskey(world, world.bob.did)
    const refused = await give(world.bob.did, "admin")
    assert.include(refused.body["message"], "authenticator")
    assert.strictEqual((await give("did:plc:nobody", "admin")).status, 400)
    assert.strictEqual((await give(world.alice.did, "emperor")).status, 400)
  })

  it("the last admin stays, and the list names who gave each role", async () => {
    const { did } = people.get("admin")!
    assert.include((await take(did)).body["message"], "last admin")
    assert.include((await give(did, "inviter")).body["message"], "last admin")
    const { operators } = ok(await world.ask("/admin/operators", { auth: basic() }))
    const mine = operators.find((one: { did: string }) => one.did === did)
    assert.deepInclude(mine, { role: "admin", addedBy: "password" })
  })
})
