import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AccountStore } from "../../../src/services/accounts/AccountStore.ts"
import { startHost } from "../../support/http/httpHost.ts"
import { outcomeOf, signUp } from "../../support/http/httpWorld.ts"

describe("a sign-up interrupted between the account's row and its repo", () => {
  const did = "did:web:halfway.test"
  const half = Effect.flatMap(AccountStore, (accounts) =>
    accounts.create({
      did,
      handle: "halfway.test",
      email: undefined,
      emailConfirmedAt: undefined,
      emailFactorAt: undefined,
      password: undefined,
      signingKey: { curve: "k256", wrapped: new Uint8Array(8), didKey: "did:key:zNone" },
      deactivatedAt: undefined,
      deleteAfter: undefined,
      takedown: undefined,
      createdAt: "2026-01-01T00:00:00.000Z"
    })
  )

  it("an interrupted sign-up has no repo, and the DID can sign up again", async () => {
    const host = await startHost()
    await host.inside(did, half)
    for (const nsid of ["getRepo", "getLatestCommit", "getRepoStatus"]) {
      const answer = await host.call(`com.atproto.sync.${nsid}`, { params: { did } })
      assert.strictEqual(outcomeOf(answer), "400 RepoNotFound", nsid)
    }
    const again = await signUp(host, "halfway")
    assert.strictEqual(again.did, did)
    const latest = await host.call("com.atproto.sync.getLatestCommit", { params: { did } })
    assert.strictEqual(latest.status, 200)
    await host.close()
  })
})
