import { AtpAgent } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  type MiniflareOptions
} from "miniflare"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { builtOnce } from "../../../scripts/built.ts"
import type { Wrangler } from "../../../scripts/server.ts"
import { freePort } from "../../support/server/server.ts"

const secrets = {
  MASTER_KEY: randomBytes(32).toString("base64url"),
  PLC_ROTATION_KEY: "42".repeat(32),
  ADMIN_PASSWORD: "the administrator's own words"
}

let server: Miniflare
let options: MiniflareOptions
let origin: string

/** Adds a secret to the store, like `wrangler secrets-store secret create`. */
const create = async (name: keyof typeof secrets) => {
  const admin = await server.getSecretsStoreSecretAPI(name)
  await admin().create(secrets[name])
}

const ready = async () => {
  const response = await fetch(`${origin}/ready`)
  // SAFETY: the response of /ready.
  const body = (await response.json()) as { problems?: ReadonlyArray<{ variable: string }> }
  return { status: response.status, missing: body.problems?.map(({ variable }) => variable) }
}

beforeAll(async () => {
  const port = await freePort()
  origin = `http://localhost:${port}`
  const { file } = await builtOnce()
  // SAFETY: the start script reads the same from it.
  const built = JSON.parse(readFileSync(file, "utf8")) as Wrangler & { readonly code: string }
  options = {
    ...convertV4MiniflareOptions({
      ...built.options,
      name: built.name,
      modules: [{ type: "ESModule", path: "main.mjs", contents: built.code }],
      bindings: { PUBLIC_URL: origin, LOG_LEVEL: "none", RATE_LIMITS: "off" },
      secretsStoreSecrets: Object.fromEntries(
        Object.keys(secrets).map((one) => [one, { store_id: "store", secret_name: `nacre_${one}` }])
      ),
      host: "127.0.0.1",
      port,
      cf: false
    }),
    log: new Log(LogLevel.NONE),
    handleStructuredLogs: () => {}
  }
  server = new Miniflare(options)
  await server.ready
})
afterAll(() => server.dispose())

describe("secrets in a Secrets Store", () => {
  it("missing secrets are listed at /ready, and the next request asks again", async () => {
    const all = ["MASTER_KEY", "PLC_ROTATION_KEY", "ADMIN_PASSWORD"]
    assert.deepStrictEqual(await ready(), { status: 503, missing: all })
    await create("ADMIN_PASSWORD")
    await create("MASTER_KEY")
    assert.deepStrictEqual(await ready(), { status: 503, missing: ["PLC_ROTATION_KEY"] })
    const { status } = await fetch(`${origin}/xrpc/com.atproto.server.describeServer`)
    assert.strictEqual(status, 503)
    await create("PLC_ROTATION_KEY")
    assert.deepStrictEqual(await ready(), { status: 200, missing: undefined })
  })

  it("many concurrent first requests all succeed", async () => {
    // Another isolate, which hasn't asked the store yet.
    await server.setOptions(options)
    const answers = await Promise.all(Array.from({ length: 30 }, ready))
    assert.deepStrictEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  })

  it("sign-ups, sign-ins and writes work with stored secrets", async () => {
    const handle = "alice.test"
    const password = "a long password"
    const did = `did:web:${handle}`
    const made = await fetch(`${origin}/xrpc/com.atproto.server.createAccount`, {
      method: "POST",
      headers: {
        authorization: `Basic ${btoa(`admin:${secrets.ADMIN_PASSWORD}`)}`,
        "content-type": "application/json"
      },
      body: JSON.stringify({ handle, did, password, email: "alice@example.com" })
    })
    assert.strictEqual(made.status, 200, await made.text())
    const agent = new AtpAgent({ service: origin })
    await agent.login({ identifier: handle, password })
    const { uri, cid } = await agent.post({ text: "signed by a key from the store" })
    const found = await agent.com.atproto.repo.getRecord({
      repo: did,
      collection: "app.bsky.feed.post",
      rkey: uri.split("/").at(-1) ?? ""
    })
    assert.strictEqual(found.data.cid, cid)
  })
})
