import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { makeKey } from "../tokens/signing.ts"
import { type Answered, origin } from "../../support/http/httpHost.ts"
import { ok, startWorld, type World } from "../../support/http/httpWorld.ts"
import {
  type App,
  confidentialApp,
  type Fields,
  publicApp,
  random
} from "../../support/http/oauthApp.ts"

let world: World

beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const named = ({ status, body }: Answered) => `${status} ${body["error"] ?? "ok"}`

const session = "com.atproto.server.getSession"

let count = 0
const newApp = () => confidentialApp(world, `app${(count += 1)}`)

/** The three endpoints, each with a form that is valid except for the client's authentication. */
const forms = async (app: App): Promise<ReadonlyArray<readonly [string, Fields]>> => [
  ["/oauth/par", app.request(random() + random())],
  ["/oauth/token", await app.code(world.alice.did)],
  [
    "/oauth/token",
    {
      grant_type: "refresh_token",
      refresh_token: (await app.signIn(world.alice.did))["refresh_token"]
    }
  ]
]

describe("a confidential client", () => {
  it("a confidential client must authenticate to push, to exchange and to refresh", async () => {
    const { app } = await newApp()
    const wrongs: Readonly<Record<string, Fields>> = {
      nothing: { client_assertion: undefined, client_assertion_type: undefined },
      "a type alone": { client_assertion: undefined },
      "no type": { client_assertion_type: undefined },
      "another type": { client_assertion_type: "urn:ietf:params:oauth:grant-type:jwt-bearer" },
      garbage: { client_assertion: "garbage" },
      "a secret": {
        client_assertion: undefined,
        client_assertion_type: undefined,
        client_secret: "secret"
      }
    }
    for (const [name, wrong] of Object.entries(wrongs)) {
      for (const [path, form] of await forms(app)) {
        const answer = await app.post(path, { ...form, ...wrong })
        assert.strictEqual(named(answer), "400 invalid_client", `${name} ${path}`)
      }
    }
  })

  it("a confidential client's assertion must be its own, for this server and recent", async () => {
    const { app } = await newApp()
    await app.push()
    const now = Math.floor(world.now() / 1000)
    const wrongs: Readonly<Record<string, Promise<string>>> = {
      "another audience": app.assertion({ claims: { aud: "https://other.example.com" } }),
      "the endpoint as audience": app.assertion({ claims: { aud: `${origin}/oauth/token` } }),
      "another issuer": app.assertion({ claims: { iss: "https://other.example.com/c.json" } }),
      "another subject": app.assertion({ claims: { sub: world.alice.did } }),
      "an old one": app.assertion({ claims: { iat: now - 300 } }),
      "an expired one": app.assertion({ claims: { exp: now - 1 } }),
      "no jti": app.assertion({ claims: { jti: undefined } }),
      "an unknown key": app.assertion({ header: { kid: "second" } }),
      "another DPoP key": app.assertion({ claims: { cnf: { jkt: "x" } } })
    }
    for (const [name, assertion] of Object.entries(wrongs)) {
      const { answer } = await app.push({ client_assertion: await assertion })
      assert.strictEqual(named(answer), "400 invalid_client", name)
    }
  })

  it("a confidential client may use an assertion once, even concurrently", async () => {
    const { app } = await newApp()
    await app.push()
    const client_assertion = await app.assertion()
    const answers = await Promise.all([
      app.push({ client_assertion }),
      app.push({ client_assertion })
    ])
    assert.deepStrictEqual(answers.map(({ answer }) => named(answer)).toSorted(), [
      "201 ok",
      "400 invalid_client"
    ])
  })

  it("a confidential client may resend an assertion after use_dpop_nonce", async () => {
    const { app } = await newApp()
    app.nonce = "an old one"
    const { answer } = await app.push({ client_assertion: await app.assertion() })
    assert.strictEqual(answer.status, 201)
  })

  it("a new key of a confidential client works at once, and sessions stay bound to their first key", async () => {
    const { app, keys } = await newApp()
    const tokens = await app.signIn(world.alice.did)
    const fields = await app.code(world.alice.did)
    const key = await makeKey("ES256")
    keys.push({ ...key.publicJwk, kid: "second", alg: "ES256", use: "sig" })
    const sign = () => app.assertion({ by: { kid: "second", key } })
    world.advance(31_000)
    const { answer } = await app.push({ client_assertion: await sign() })
    assert.strictEqual(answer.status, 201)
    const byOther = await app.refresh(tokens["refresh_token"], { client_assertion: await sign() })
    assert.strictEqual(named(byOther), "400 invalid_grant")
    const code = await app.post("/oauth/token", { ...fields, client_assertion: await sign() })
    assert.strictEqual(named(code), "400 invalid_grant")
    ok(await app.refresh(tokens["refresh_token"]))
  })

  it("a confidential client that withdraws a key loses the sessions bound to it, whichever key it uses", async () => {
    for (const by of ["the old key", "a new key"]) {
      const { app, keys } = await newApp()
      const tokens = await app.signIn(world.alice.did)
      const key = await makeKey("ES256")
      keys.splice(0, 1, { ...key.publicJwk, kid: "second", alg: "ES256", use: "sig" })
      world.advance(600_000)
      assert.strictEqual((await app.call(session, tokens["access_token"])).status, 200)
      const client_assertion = await app.assertion(
        by === "the old key" ? {} : { by: { kid: "second", key } }
      )
      const answer = await app.refresh(tokens["refresh_token"], { client_assertion })
      assert.strictEqual(named(answer), "400 invalid_grant", by)
      assert.strictEqual((await app.call(session, tokens["access_token"])).status, 401, by)
    }
  })

  it("a confidential client gets no new tokens for a session that its metadata no longer allows", async () => {
    const changes: ReadonlyArray<readonly [object, string]> = [
      [{ scope: "atproto" }, "400 invalid_grant"],
      [{ grant_types: ["authorization_code"] }, "400 unauthorized_client"],
      [
        {
          token_endpoint_auth_method: "none",
          token_endpoint_auth_signing_alg: undefined,
          jwks_uri: undefined
        },
        "400 invalid_client"
      ]
    ]
    for (const [change, expected] of changes) {
      const { app, metadata } = await newApp()
      const tokens = await app.signIn(world.alice.did)
      Object.assign(metadata, change)
      world.advance(601_000)
      const answer = await app.refresh(tokens["refresh_token"])
      assert.strictEqual(named(answer), expected, answer.text)
    }
  })

  it("a confidential client that doesn't declare refreshing gets no refresh token", async () => {
    const { app, metadata } = await newApp()
    metadata["grant_types"] = ["authorization_code"]
    const tokens = await app.signIn(world.alice.did)
    assert.isUndefined(tokens["refresh_token"])
    assert.strictEqual((await app.call(session, tokens["access_token"])).status, 200)
  })

  it("a confidential client keeps its session as long as it refreshes within 180 days", async () => {
    const { app } = await newApp()
    const day = 86_400_000
    let tokens = await app.signIn(world.bob.did)
    for (let turn = 0; turn < 3; turn++) {
      world.advance(179 * day)
      tokens = ok(await app.refresh(tokens["refresh_token"]))
    }
    world.advance(181 * day)
    assert.strictEqual(named(await app.refresh(tokens["refresh_token"])), "400 invalid_grant")
  })

  it("a confidential client must authenticate to revoke", async () => {
    const { app } = await newApp()
    const tokens = await app.signIn(world.alice.did)
    const token = tokens["access_token"]
    const nobody = { client_assertion: undefined, client_assertion_type: undefined }
    assert.strictEqual((await app.post("/oauth/revoke", { token, ...nobody })).text, "{}")
    assert.strictEqual((await app.call(session, token)).status, 200)
    ok(await app.post("/oauth/revoke", { token }))
    assert.strictEqual((await app.call(session, token)).status, 401)
  })
})

describe("a public client", () => {
  it("a public client must not send an assertion", async () => {
    const app = await publicApp(world)
    const { app: server } = await newApp()
    const { answer } = await app.push({
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: await server.assertion()
    })
    assert.strictEqual(named(answer), "400 invalid_client")
  })
})
