import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { thumbprint } from "../../../src/core/oauth/jwk.ts"
import { makeKey } from "../tokens/signing.ts"
import { type Answered, type Host, origin, startHost } from "../../support/http/httpHost.ts"
import {
  type App,
  confidentialApp,
  type Fields,
  loopbackId,
  makeApp,
  publicApp,
  random
} from "../../support/http/oauthApp.ts"

let host: Host
let app: App

beforeAll(async () => {
  host = await startHost()
  app = await publicApp(host)
  // From here on the app has a nonce.
  await app.push()
})
afterAll(() => host.close())

const named = ({ status, body }: Answered) => `${status} ${body["error"] ?? "ok"}`

const post = (by: App, fields: Fields) => by.post("/oauth/par", fields)

/** Pushes a valid request with any proof. */
const push = (proof: string | undefined) =>
  host.ask("/oauth/par", {
    body: new URLSearchParams({
      client_id: app.clientId,
      ...(app.request(random() + random()) as Record<string, string>)
    }).toString(),
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      ...(proof === undefined ? {} : { dpop: proof })
    }
  })

describe("a pushed request", () => {
  it("a pushed request returns the URI with which its user is sent here", async () => {
    const { answer } = await app.push()
    assert.strictEqual(answer.status, 201)
    const { request_uri: uri, expires_in: seconds } = answer.body
    assert.match(uri, /^urn:ietf:params:oauth:request_uri:req-[\w-]{20,}$/)
    assert.strictEqual(seconds, 300)
  })

  it("a pushed request fails for each parameter that is missing, invalid or unsupported", async () => {
    const plain = random() + random()
    const cases: ReadonlyArray<readonly [Fields, string]> = [
      [{ client_id: undefined }, "invalid_request"],
      [{ response_type: undefined }, "invalid_request"],
      [{ response_type: "token" }, "unsupported_response_type"],
      [{ state: undefined }, "invalid_request"],
      [{ state: "" }, "invalid_request"],
      [{ code_challenge: undefined }, "invalid_request"],
      [{ code_challenge_method: undefined }, "invalid_request"],
      [{ code_challenge: plain.slice(0, 43), code_challenge_method: "plain" }, "invalid_request"],
      [{ code_challenge: "short" }, "invalid_request"],
      [{ scope: undefined }, "invalid_scope"],
      [{ scope: "transition:generic" }, "invalid_scope"],
      [{ scope: "atproto transition:email" }, "invalid_scope"],
      [{ redirect_uri: "https://evil.example.com/callback" }, "invalid_request"],
      [{ redirect_uri: "http://127.0.0.1:4321/other" }, "invalid_request"],
      [{ redirect_uri: "http://localhost:4321/callback" }, "invalid_request"],
      [{ redirect_uri: "http://127.0.0.1:4321/callback#x" }, "invalid_request"],
      [{ response_mode: "web_message" }, "invalid_request"],
      [{ prompt: "everything" }, "invalid_request"],
      [{ prompt: "none" }, "invalid_request"],
      [{ login_hint: "<script>" }, "invalid_request"],
      [{ request: "e30.e30." }, "invalid_request"],
      [{ request_uri: "urn:x" }, "invalid_request"]
    ]
    for (const [fields, error] of cases) {
      const { answer } = await app.push(fields)
      assert.strictEqual(named(answer), `400 ${error}`, JSON.stringify(fields))
      assert.isString(answer.body["error_description"])
    }
  })

  it("a pushed request is rejected if storing it would take more than 24 KiB", async () => {
    const { app: big, metadata } = await confidentialApp(host)
    const values = Array.from({ length: 500 }, (_, at) => `repo:com.example.record${at}`)
    const scope = `atproto ${values.join(" ")}`
    metadata["scope"] = scope
    assert.strictEqual((await big.push({ scope })).answer.status, 201)
    const { answer } = await big.push({ scope, state: "\u0001".repeat(2048) })
    assert.strictEqual(named(answer), "400 invalid_request")
    assert.include(answer.body["error_description"], "too large")
  })

  it("a pushed request of an invalid client is rejected", async () => {
    const ids = [
      "https://nobody.example.com/client-metadata.json",
      "http://app.example.com/client-metadata.json",
      "https://127.0.0.1/client-metadata.json",
      "http://localhost:8080/",
      `${origin}/client-metadata.json`,
      "app"
    ]
    for (const id of ids) {
      const { answer } = await app.push({ client_id: id })
      assert.include(
        ["400 invalid_client", "400 invalid_client_metadata"],
        named(answer),
        `${id}: ${answer.text}`
      )
    }
  })

  it("a pushed request of an unreachable client gets 503", async () => {
    host.network.dead.add("down.example.com")
    const { answer } = await app.push({ client_id: "https://down.example.com/client.json" })
    assert.strictEqual(named(answer), "503 temporarily_unavailable")
  })

  it("a pushed request may be repeated, because only redeeming a code uses anything up", async () => {
    const fields = app.request(random() + random())
    for (let time = 0; time < 3; time++) {
      assert.strictEqual((await post(app, fields)).status, 201)
    }
  })

  it("a pushed request with a dpop_jkt must match its proof's key", async () => {
    const right = await app.push({ dpop_jkt: await thumbprint(app.dpopKey.publicJwk) })
    assert.strictEqual(right.answer.status, 201)
    const wrong = await app.push({ dpop_jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })
    assert.strictEqual(named(wrong.answer), "401 invalid_dpop_proof")
  })

  it("a pushed request with a missing permission set, or too many of them, is rejected", async () => {
    const pushWith = async (scope: string) => {
      const asking = await makeApp(host, { ...app, clientId: loopbackId(scope), scope })
      return named((await asking.push()).answer)
    }
    assert.strictEqual(await pushWith("atproto include:com.example.authNone"), "400 invalid_scope")
    const many = Array.from({ length: 11 }, (_, at) => `include:com.example.auth${at}`)
    const before = host.network.asked.length
    assert.strictEqual(await pushWith(`atproto ${many.join(" ")}`), "400 invalid_scope")
    assert.strictEqual(host.network.asked.length, before)
  })
})

describe("the proof of a pushed request", () => {
  it("the proof must exist, be for this method and URL, be recent and signed with its own key", async () => {
    const { publicJwk } = await makeKey("ES256")
    const seconds = Math.floor(host.now() / 1000)
    const proofs: Readonly<Record<string, string | undefined>> = {
      missing: undefined,
      garbage: "garbage",
      "two at once": `${await app.proof("/oauth/par")}, ${await app.proof("/oauth/par")}`,
      "another address": await app.proof("/oauth/token"),
      "another host": await app.proof("/oauth/par", {
        claims: { htu: "https://other.example.com/oauth/par" }
      }),
      "another method": await app.proof("/oauth/par", { claims: { htm: "GET" } }),
      "an old one": await app.proof("/oauth/par", { claims: { iat: seconds - 600 } }),
      "another key's": await app.proof("/oauth/par", { header: { jwk: publicJwk } }),
      "not a proof": await app.proof("/oauth/par", { header: { typ: "JWT" } }),
      "for an access token": await app.proof("/oauth/par", {}, "a token")
    }
    for (const [name, proof] of Object.entries(proofs)) {
      const answer = await push(proof)
      assert.strictEqual(named(answer), "401 invalid_dpop_proof", name)
      assert.match(
        answer.headers.get("www-authenticate") ?? "",
        /^DPoP error="invalid_dpop_proof", algs="ES256/
      )
    }
  })

  it("the proof must contain a nonce of the last minutes, and the response has one", async () => {
    const without = await push(await app.proof("/oauth/par", { claims: { nonce: undefined } }))
    assert.strictEqual(named(without), "400 use_dpop_nonce")
    const made = await push(await app.proof("/oauth/par", { claims: { nonce: "made-up" } }))
    assert.strictEqual(named(made), "400 use_dpop_nonce")
    const nonce = without.headers.get("dpop-nonce")
    const right = await push(await app.proof("/oauth/par", { claims: { nonce } }))
    assert.strictEqual(right.status, 201)
    host.advance(60_000)
    assert.strictEqual(
      (await push(await app.proof("/oauth/par", { claims: { nonce } }))).status,
      201
    )
    host.advance(300_000)
    const stale = await push(await app.proof("/oauth/par", { claims: { nonce } }))
    assert.strictEqual(named(stale), "400 use_dpop_nonce")
    await app.push()
  })

  it("the proof works for one request, even concurrently", async () => {
    const proof = await app.proof("/oauth/par")
    const answers = await Promise.all([push(proof), push(proof), push(proof)])
    assert.deepStrictEqual(answers.map(named).toSorted(), [
      "201 ok",
      "401 invalid_dpop_proof",
      "401 invalid_dpop_proof"
    ])
    assert.strictEqual(named(await push(proof)), "401 invalid_dpop_proof")
  })

  it("the proof works for one request at the token endpoints too", async () => {
    for (const path of ["/oauth/token", "/oauth/revoke"]) {
      const dpop = await app.proof(path)
      const send = () =>
        host.ask(path, {
          method: "POST",
          body: new URLSearchParams({ client_id: app.clientId, token: "a token" }),
          headers: { dpop }
        })
      assert.notStrictEqual(named(await send()), "401 invalid_dpop_proof", path)
      assert.strictEqual(named(await send()), "401 invalid_dpop_proof", path)
    }
  })

  it("the proof must not be signed with the client's authentication key", async () => {
    const { app: server } = await confidentialApp(host, "samekey")
    const key = server.assertionKey?.key
    if (key === undefined) throw new Error("no key")
    await server.push()
    const answer = await server.post("/oauth/par", server.request(random() + random()), { key })
    assert.strictEqual(named(answer), "400 invalid_client")
  })
})
