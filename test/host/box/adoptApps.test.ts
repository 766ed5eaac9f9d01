import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { thumbprint } from "../../../src/core/oauth/jwk.ts"
import { isCovered } from "../../../src/http/oauth/authorizeStep.ts"
import { adopt } from "../../../src/layers/accounts/adopt/adopt.ts"
import { open } from "../../../src/layers/host/sql/SqlStorageNode.ts"
import { fileOf } from "../../../src/layers/objects/AccountsFiles.ts"
import { makeKey } from "../../oauth/tokens/signing.ts"
import { type AppServer, publicApp } from "../../support/http/oauthApp.ts"
import { requestOf } from "../../support/http/httpHost.ts"
import { env, type RunningBox, startBox } from "./boxWorld.ts"
import { makeReference, type ReferenceFolder } from "./referenceFolder.ts"

let base: string
let old: ReferenceFolder
let data: string
let running: RunningBox | undefined

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "nacre-adopt-apps-"))
  old = makeReference(join(base, "old"))
  data = join(base, "data")
})
afterEach(async () => {
  await running?.stop()
  running = undefined
  rmSync(base, { recursive: true, force: true })
})

const run = () =>
  Effect.runPromise(
    adopt({
      source: old.folder,
      variables: {},
      folder: data,
      env,
      isDry: false,
      skip: new Set(),
      onAccount: () => Effect.void
    })
  )

/** The server as an app reaches it, once it runs. */
const server: AppServer = {
  ask: async (path, asked) => {
    const response = await running!.handler(requestOf(path, asked))
    const bytes = new Uint8Array(await response.arrayBuffer())
    const text = new TextDecoder().decode(bytes)
    const { status, headers } = response
    return { status, headers, bytes, text, body: text.startsWith("{") ? JSON.parse(text) : {} }
  },
  beneath: () => Promise.reject(new Error("nobody signs in here")),
  now: () => Date.now()
}

const day = 24 * 3_600_000
const issued = () => `ref-${randomBytes(32).toString("hex")}`

describe("OAuth apps of a reference PDS that was adopted", () => {
  it("an app stays signed in: the old refresh token works once, with the same key, for the same client", async () => {
    const { did } = old.make({ name: "alice" })
    const app = await publicApp(server)
    const jkt = await thumbprint(app.dpopKey.publicJwk)
    const [first, second] = [issued(), issued()]
    const made = { clientId: app.clientId, jkt, createdAt: Date.now() - day }
    old.app(did, { ...made, refreshToken: first })
    old.app(did, { ...made, refreshToken: second })
    old.close()
    const { accounts, letGo } = await run()
    assert.strictEqual(accounts[0]?.apps, 2)
    assert.notInclude(letGo.join(), "OAuth apps")
    running = await startBox(data)

    const thief = { ...(await publicApp(server)), dpopKey: await makeKey("ES256") }
    assert.strictEqual((await thief.refresh(first)).body["error"], "invalid_grant")
    assert.strictEqual((await app.refresh(issued())).body["error"], "invalid_grant")

    const { status, body } = await app.refresh(first)
    assert.strictEqual(status, 200, JSON.stringify(body))
    assert.deepInclude(body, { sub: did, scope: "atproto transition:generic" })
    const session = await app.call("com.atproto.server.getSession", body["access_token"])
    assert.strictEqual(session.body["did"], did)
    // Two tabs refresh at once: both get the same token.
    const again = await app.refresh(first)
    assert.strictEqual(again.body["refresh_token"], body["refresh_token"])
    assert.strictEqual((await app.refresh(body["refresh_token"])).status, 200)
    // Two tokens later, the old server's token is unknown.
    assert.strictEqual((await app.refresh(first)).body["error"], "invalid_grant")

    assert.strictEqual((await app.post("/oauth/revoke", { token: second })).status, 200)
    assert.strictEqual((await app.refresh(second)).body["error"], "invalid_grant")
  })

  it("adopt drops and names an app's session that has expired or can't be refreshed", async () => {
    const { did } = old.make({ name: "alice" })
    const client = { clientId: "https://app.example.com/client.json", jkt: "a thumbprint" }
    const key = { alg: "ES256", kid: "first", jkt: "the client's key" }
    const legacy = {
      method: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      ...key
    }
    const now = Date.now()
    old.app(did, { ...client, createdAt: now - 15 * day, refreshToken: issued() })
    old.app(did, { ...client, createdAt: now, refreshToken: null })
    old.app(did, { clientId: client.clientId, createdAt: now, refreshToken: issued() })
    old.app(did, { ...client, createdAt: now, refreshToken: "from another program" })
    const kept = { createdAt: now - 300 * day, updatedAt: now - 80 * day, refreshToken: issued() }
    old.app(did, { ...client, clientAuth: legacy, ...kept })
    old.close()
    const { accounts, letGo } = await run()
    assert.strictEqual(accounts[0]?.apps, 1)
    assert.include(letGo.join("\n"), "4 sign-ins of OAuth apps")
    const database = open(fileOf(join(data, "accounts"), did))
    const rows = database.prepare("SELECT client_auth, current FROM oauth_session").all()
    database.close()
    assert.deepStrictEqual(
      rows.map((row) => JSON.parse(String(row["client_auth"]))),
      [{ method: "private_key_jwt", ...key }]
    )
    assert.notInclude(JSON.stringify(rows), kept.refreshToken)
  })

  it("adopt keeps what the owner allowed an app, and drops and names what it can't read", async () => {
    const { did } = old.make({ name: "alice" })
    const allowed = (...authorizedScopes: ReadonlyArray<unknown>) =>
      JSON.stringify({ authorizedScopes })
    const client = (name: string) => `https://${name}.example.com/client.json`
    const scope = ["atproto", "repo:app.bsky.feed.post?action=create", "blob:*/*"]
    old.consent(did, client("app"), allowed(...scope))
    old.consent(did, client("none"), allowed())
    old.consent(did, client("minus"), allowed("atproto", "-transition:generic"))
    old.consent(did, client("two"), allowed("atproto transition:generic"))
    old.consent(did, client("number"), allowed("atproto", 1))
    old.consent(did, client("broken"), "{")
    old.consent(did, client(`${"x".repeat(3000)}`), allowed("atproto"))
    old.close()
    const { accounts, letGo } = await run()
    assert.strictEqual(accounts[0]?.consents, 1)
    assert.include(letGo.join("\n"), "6 remembered permissions of OAuth apps in an unknown form")
    const database = open(fileOf(join(data, "accounts"), did))
    const rows = database.prepare("SELECT client, scope FROM oauth_consent").all()
    database.close()
    assert.deepStrictEqual(
      rows.map((row) => row["client"]),
      [client("app")]
    )
    const consented = String(rows[0]?.["scope"])
    assert.isTrue(isCovered(`${scope[0]} ${scope[2]}`, consented))
    assert.isFalse(isCovered("atproto transition:generic", consented))
  })
})
