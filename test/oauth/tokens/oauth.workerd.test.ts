import { assert, describe, it } from "@effect/vitest"
import { type App, publicApp } from "../../support/http/oauthApp.ts"
import { appServer, fetchWorker, newPerson } from "../../host/workerdWorld.ts"

/** The Worker as the tests' apps see it. */
const worker = appServer(fetchWorker)

const session = "com.atproto.server.getSession"

const statusesOf = async (answers: ReadonlyArray<Promise<{ readonly status: number }>>) =>
  (await Promise.all(answers)).map(({ status }) => status).toSorted((a, b) => a - b)

const signedIn = async (): Promise<{ app: App; did: string; tokens: Record<string, string> }> => {
  const { did } = await newPerson()
  const app = await publicApp(worker)
  return { app, did, tokens: await app.signIn(did) }
}

describe("OAuth in the Worker", () => {
  it("the Worker accepts a request, issues tokens for a code, refreshes and revokes them", async () => {
    const { app, did, tokens } = await signedIn()
    const renewed = await app.refresh(tokens["refresh_token"] ?? "")
    assert.strictEqual(renewed.status, 200, renewed.text)
    const seen = await app.call(session, renewed.body["access_token"])
    assert.strictEqual(seen.body["did"], did)
    await app.post("/oauth/revoke", { token: renewed.body["refresh_token"] })
    assert.strictEqual((await app.call(session, renewed.body["access_token"])).status, 401)
  })

  it("the Worker serves concurrent clients, and accepts a proof once", async () => {
    const app = await publicApp(worker)
    await app.push()
    const pushes = await Promise.all(Array.from({ length: 20 }, () => app.push()))
    assert.deepStrictEqual([...new Set(pushes.map(({ answer }) => answer.status))], [201])
    const proof = await app.proof("/oauth/token")
    const headers = { dpop: proof, "content-type": "application/x-www-form-urlencoded" }
    const body = new URLSearchParams({ client_id: app.clientId, grant_type: "x" }).toString()
    const ask = () => worker.ask("/oauth/token", { body, headers })
    assert.deepStrictEqual(await statusesOf([ask(), ask(), ask()]), [400, 401, 401])
  })

  it("at most one of two concurrent redemptions succeeds, and concurrent refreshes return the same tokens", async () => {
    const { app, did, tokens } = await signedIn()
    const code = await app.code(did)
    const redeem = () => app.post("/oauth/token", code)
    assert.include(["200,400", "400,400"], (await statusesOf([redeem(), redeem()])).join())
    const refresh = () => app.refresh(tokens["refresh_token"] ?? "")
    assert.deepStrictEqual(await statusesOf([refresh(), refresh()]), [200, 200])
  })
})
