import { assert, describe, it } from "@effect/vitest"
import { accountMethods, hostMethods } from "../../../src/http/methods.ts"
import type { Permission } from "../../../src/core/oauth/types.ts"
import type { OAuthNeed } from "../../../src/services/sessions/Authority.ts"

const needOf = (nsid: string): OAuthNeed | undefined => {
  const authority = (accountMethods.get(nsid) ?? hostMethods.get(nsid))?.authority
  return authority?.kind === "session" ? authority.oauth : undefined
}

const needs = (nsid: string, call: { readonly params?: object; readonly input?: unknown }) => {
  const need = needOf(nsid)
  if (typeof need !== "function") return need
  return need({ params: { ...call.params }, input: call.input })
}

const repo = (
  action: "create" | "update" | "delete",
  collection = "com.example.post"
): Permission => ({
  resource: "repo",
  collection,
  action
})
const write = (action: string, collection: string) => ({
  $type: `com.atproto.repo.applyWrites#${action}`,
  collection
})

describe("the permissions that a call needs", () => {
  it("a write needs its collection and action", () => {
    const input = { repo: "did:plc:a", collection: "com.example.post" }
    assert.deepStrictEqual(needs("com.atproto.repo.createRecord", { input }), [repo("create")])
    assert.deepStrictEqual(needs("com.atproto.repo.deleteRecord", { input }), [repo("delete")])
    assert.deepStrictEqual(needs("com.atproto.repo.putRecord", { input }), [
      repo("create"),
      repo("update")
    ])
  })

  it("applyWrites needs each write's permission once", () => {
    const writes = [
      write("create", "com.example.post"),
      write("create", "com.example.like"),
      write("create", "com.example.post"),
      write("update", "com.example.post"),
      write("delete", "com.example.like")
    ]
    assert.deepStrictEqual(needs("com.atproto.repo.applyWrites", { input: { writes } }), [
      repo("create"),
      repo("create", "com.example.like"),
      repo("update"),
      repo("delete", "com.example.like")
    ])
    assert.deepStrictEqual(needs("com.atproto.repo.applyWrites", { input: { writes: [] } }), [])
  })

  it("getServiceAuth needs the method and audience of the token", () => {
    const nsid = "com.atproto.server.getServiceAuth"
    const aud = "did:web:api.example.com"
    assert.deepStrictEqual(needs(nsid, { params: { aud, lxm: "com.example.get" } }), [
      { resource: "rpc", lxm: "com.example.get", aud }
    ])
    assert.deepStrictEqual(needs(nsid, { params: { aud } }), [{ resource: "rpc", lxm: "*", aud }])
  })

  it("preferences need the AppView's methods", () => {
    for (const nsid of ["app.bsky.actor.getPreferences", "app.bsky.actor.putPreferences"]) {
      assert.deepStrictEqual(needs(nsid, {}), [
        {
          resource: "rpc",
          lxm: nsid,
          aud: "did:web:api.bsky.app#bsky_appview",
          ...(nsid.endsWith("getPreferences") ? { query: true } : {})
        }
      ])
    }
  })

  it("an app that may manage the account's status may deactivate it", () => {
    assert.deepStrictEqual(needs("com.atproto.server.deactivateAccount", { input: {} }), [
      { resource: "account", attr: "status", action: "manage" }
    ])
  })

  it("only a few methods need no permission", () => {
    const open = [...accountMethods.keys(), ...hostMethods.keys()].filter(
      (nsid) => needOf(nsid) === "any"
    )
    assert.deepStrictEqual(open.toSorted(), [
      "com.atproto.identity.getRecommendedDidCredentials",
      "com.atproto.repo.listMissingBlobs",
      "com.atproto.server.checkAccountStatus",
      "com.atproto.server.getSession"
    ])
  })

  it("the owner's own methods never accept an app", () => {
    for (const nsid of [
      "com.atproto.server.activateAccount",
      "com.atproto.server.createAppPassword",
      "com.atproto.server.listAppPasswords",
      "com.atproto.server.revokeAppPassword"
    ]) {
      assert.strictEqual(needOf(nsid), "no", nsid)
    }
  })
})
