import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { serveHost } from "../../../src/http/host.ts"
import { accountMethods } from "../../../src/http/methods.ts"
import { SqlStorage } from "../../../src/services/host/SqlStorage.ts"
import { direct, type Ways, withFiber, withoutFiber } from "../../support/http/direct.ts"
import { appCredentials } from "../../support/http/httpAppCredentials.ts"
import { type LetIn, letIn, proofOf, withApp } from "../../support/http/httpApps.ts"
import { type Asked, origin, requestOf } from "../../support/http/httpHost.ts"
import { samples } from "../../support/http/httpMethods.ts"
import { type Person, startWorld, type World } from "../../support/http/httpWorld.ts"
import { makeKey, unsigned } from "./signing.ts"

const generic = "atproto transition:generic"
const other = { origin: "https://app.example.com" }

/** The methods that mostly take no fiber. */
const methods = [...accountMethods.values()].filter(
  ({ atOnce, soon }) => atOnce !== undefined || soon !== undefined
)

/** A response without what differs between any two. */
const shown = async (response: Response) => ({
  status: response.status,
  text: (await response.text())
    .replace(/"token":"[\w.-]+"/, '"token":""')
    .replaceAll(/"(uri|cid|rev)":"[^"]*"/g, '"$1":""')
    .replace(/,"requestId":"[^"]*"/, ""),
  headers: Object.fromEntries(
    [...response.headers].map(([name, value]) => [
      name,
      name === "dpop-nonce"
        ? value.replace(/^[\w-]{43}/, "nonce").replace(/\.[\w-]{22}$/, ".mark")
        : /^(x-request-id|ratelimit-re)/.test(name)
          ? "some"
          : value
    ])
  )
})

type Change = NonNullable<Parameters<typeof withApp>[4]>

/** A call with a proof that was changed. */
const changed =
  (change: (world: World, nsid: string) => Change | Promise<Change>) =>
  async (world: World, app: LetIn, nsid: string, asked: Asked): Promise<Asked> =>
    withApp(world, app, nsid, asked, await change(world, nsid))

const withClaims = (claims: object) => changed(() => ({ claims }))

/** A call with another text as its proof, made from a valid one. */
const withText =
  (change: (proof: string, app: LetIn) => string) =>
  async (world: World, app: LetIn, nsid: string, asked: Asked): Promise<Asked> => {
    const proof = await proofOf(world, app, nsid, asked)
    const headers = { ...asked.headers, dpop: change(proof, app) }
    return { ...asked, auth: `DPoP ${app.accessToken}`, headers }
  }

const partsOf = (proof: string) => proof.split(".") as [string, string, string]

const claimsIn = (proof: string): object =>
  JSON.parse(Buffer.from(partsOf(proof)[1], "base64url").toString())

const withScheme =
  (scheme: string) =>
  async (world: World, app: LetIn, nsid: string, asked: Asked): Promise<Asked> => ({
    ...(await withApp(world, app, nsid, asked)),
    auth: `${scheme}${app.accessToken}`
  })

const byKey = (alg: string) => changed(async () => ({ key: await makeKey(alg), header: { alg } }))

const hour = 3600

/** Proofs, right and wrong, and what they are sent with. */
const proofs: Record<
  string,
  (world: World, app: LetIn, nsid: string, asked: Asked) => Promise<Asked>
> = {
  right: withApp,
  "with the URL in capitals": changed((_, nsid) => ({
    claims: { htu: `${origin.toUpperCase()}/xrpc/${nsid}?a=b#c` }
  })),
  "for another method": withClaims({ htm: "PUT" }),
  "for another path": withClaims({ htu: `${origin}/xrpc/com.atproto.server.deleteSession` }),
  "for another host": changed((_, nsid) => ({
    claims: { htu: `http://other.example.com/xrpc/${nsid}` }
  })),
  "for no URL": withClaims({ htu: undefined }),
  "for no token": withClaims({ ath: undefined }),
  "for another token": withClaims({ ath: "UkM2b42E54u4hWzuKV_B3zyulUA6vtNYjJUv_ru2Qck" }),
  "without an id": withClaims({ jti: undefined }),
  "with a number as its id": withClaims({ jti: 1 }),
  "with a long id": withClaims({ jti: "a".repeat(257) }),
  "without a time": withClaims({ iat: undefined }),
  "that is old": changed((world) => ({ claims: { iat: world.now() / 1000 - hour } })),
  "of the future": changed((world) => ({ claims: { iat: world.now() / 1000 + hour } })),
  "without a nonce": withClaims({ nonce: undefined }),
  "with another nonce": withClaims({ nonce: "a".repeat(43) }),
  "of another type": changed(() => ({ header: { typ: "JWT" } })),
  "with its private key": changed(async () => {
    const { privateJwk } = await makeKey("ES256")
    return { header: { jwk: privateJwk } }
  }),
  "without a key": changed(() => ({ header: { jwk: undefined } })),
  "by another key": byKey("ES256"),
  "by a key of another curve": byKey("ES384"),
  "by an RSA key": byKey("RS256"),
  "that names another key": changed(async () => ({
    header: { jwk: (await makeKey("ES256")).publicJwk }
  })),
  "that isn't signed": withText((proof, { key }) =>
    unsigned({ alg: "none", typ: "dpop+jwt", jwk: key.publicJwk }, claimsIn(proof))
  ),
  "with an HMAC": withText((proof, { key }) =>
    unsigned({ alg: "HS256", typ: "dpop+jwt", jwk: key.publicJwk }, claimsIn(proof), "AAAA")
  ),
  "with critical headers": withText((proof, { key }) =>
    unsigned(
      { alg: "ES256", typ: "dpop+jwt", jwk: key.publicJwk, crit: ["b64"], b64: false },
      claimsIn(proof),
      partsOf(proof)[2]
    )
  ),
  "with another signature": withText((proof) => {
    const [header, claims, signature] = partsOf(proof)
    return `${header}.${claims}.${signature.slice(0, 20)}AAAA${signature.slice(24)}`
  }),
  "with a shorter signature": withText((proof) => proof.slice(0, -2)),
  "with zeros as its signature": withText((proof) => {
    const [header, claims] = partsOf(proof)
    return `${header}.${claims}.${"A".repeat(86)}`
  }),
  "with other claims": withText((proof) => {
    const [header, , signature] = partsOf(proof)
    const claims = Buffer.from(JSON.stringify({ ...claimsIn(proof), jti: "another" }))
    return `${header}.${claims.toString("base64url")}.${signature}`
  }),
  "twice in its header": withText((proof) => `${proof}, ${proof}`),
  "and another text in its header": withText((proof) => `${proof}, a`),
  "that is no JWT": withText(() => "no proof"),
  "that has malformed JSON": withText(() => "e30.e.e30"),
  "that is empty": withText(() => ""),
  "with a scheme in small letters": withScheme("dpop "),
  "with spaces before the token": withScheme("  DPoP   "),
  "with a token that was changed": async (world, app, nsid, asked) =>
    withApp(world, { ...app, accessToken: `${app.accessToken.slice(0, -4)}AAAA` }, nsid, asked),
  "with a token that is none": async (world, app, nsid, asked) =>
    withApp(world, { ...app, accessToken: "none" }, nsid, asked),
  "after its object slept": async (world, app, nsid, asked) => {
    // As if an earlier life had used proofs up to now.
    const earlier = Effect.map(SqlStorage, (sql) =>
      sql.exec("INSERT OR REPLACE INTO oauth_proof VALUES (?, ?)", app.session, world.now() + 5000)
    )
    await world.inside(app.did, earlier)
    return withApp(world, app, nsid, asked)
  }
}

for (const env of [{}, { RATE_LIMITS: "on", CORS_ORIGINS: other.origin }]) {
  describe(`an app's call with ${JSON.stringify(env)}`, () => {
    let world: World
    beforeAll(async () => {
      world = await startWorld(env)
      // The key that tests' apps share has signed before.
      const app = await letIn(world, world.alice.did, generic)
      const nsid = "com.atproto.server.getSession"
      assert.strictEqual((await world.call(nsid, await withApp(world, app, nsid))).status, 200)
    })
    afterAll(() => world.close())

    type Make = (nsid: string, asked: Asked) => Promise<Asked>

    /** The responses without a fiber, and with fibers in the Worker and in the object. */
    const both = async (method: (typeof methods)[number], who: Person, make: Make) => {
      const { nsid } = method
      const request = async () => {
        const asked = await samples[nsid]!.make(world, who)
        const made = await make(nsid, asked)
        return requestOf(`/xrpc/${nsid}`, { ...made, headers: { ...made.headers, ...other } })
      }
      const ways: Ways = { forwarded: 0, asked: 0 }
      const [first, second] = [await request(), await request()]
      const short = await direct(world, first, ways)
      const long = await withFiber(method, () => world.beneath(serveHost(second)))
      return { short: short && (await shown(short)), long: await shown(long), ways }
    }

    it("every proof gets the same response with and without a fiber", async () => {
      const outcomes = new Set<string>()
      for (const method of methods) {
        for (const [name, make] of Object.entries(proofs)) {
          const app = await letIn(world, world.alice.did, generic)
          const found = await both(method, world.alice, (nsid, asked) =>
            make(world, app, nsid, asked)
          )
          const which = `${method.nsid} ${name}`
          if (found.short === undefined) {
            assert.strictEqual(name, "with a token that is none", which)
            continue
          }
          assert.deepStrictEqual(found.short, found.long, which)
          const isQuery = method.atOnce !== undefined
          assert.strictEqual(found.ways.asked, isQuery ? 1 : 0, which)
          assert.strictEqual(found.ways.forwarded, isQuery ? 0 : 1, which)
          outcomes.add(`${found.short.status} ${/"error":"(\w+)"/.exec(found.short.text)?.[1]}`)
        }
      }
      for (const outcome of [
        "200 undefined",
        "401 invalid_token",
        "401 invalid_dpop_proof",
        "401 use_dpop_nonce"
      ]) {
        assert.include([...outcomes], outcome)
      }
    })

    it("every app gets the same response with and without a fiber", async () => {
      for (const method of methods) {
        for (const [name, { about, use }] of Object.entries(appCredentials)) {
          const found = await both(method, about(world), (nsid, asked) => use(world, nsid, asked))
          const which = `${method.nsid} ${name}`
          if (found.short === undefined) assert.include(name, "Refresh", which)
          else assert.deepStrictEqual(found.short, found.long, which)
        }
      }
    })

    it("a key's first proof gets the same response as its next ones", async () => {
      for (const method of methods) {
        for (const name of ["right", "with another signature", "without a nonce"]) {
          const app = await letIn(world, world.alice.did, generic)
          const { publicJwk } = app.key
          const other = { ...app.key, publicJwk: { ...publicJwk, kid: randomUUID() } }
          const by = (key: LetIn["key"]) =>
            both(method, world.alice, (nsid, asked) =>
              proofs[name]!(world, { ...app, key }, nsid, asked)
            )
          const known = await by(app.key)
          assert.deepStrictEqual(await by(other), known, `${method.nsid} ${name}`)
        }
      }
    })

    it("a proof that was accepted in one way is rejected in the other, and in the same", async () => {
      for (const method of methods) {
        const { nsid } = method
        const app = await letIn(world, world.alice.did, generic)
        const short = (asked: Asked) => direct(world, requestOf(`/xrpc/${nsid}`, asked))
        const long = (asked: Asked) =>
          withFiber(method, () => world.beneath(serveHost(requestOf(`/xrpc/${nsid}`, asked))))
        for (const [first, second] of [
          [short, long],
          [long, short],
          [short, short]
        ] as const) {
          const asked = await samples[nsid]!.make(world, world.alice)
          const call = await withApp(world, app, nsid, asked)
          const [one, other] = [await first(call), await second(call)]
          const isPublic = method.authority.kind !== "session"
          assert.strictEqual(one?.status, 200, nsid)
          // With a proof that doesn't count, an app reads what is public.
          assert.strictEqual(other?.status, isPublic ? 200 : 401, nsid)
          if (!isPublic) assert.include(await other?.text(), "DPoP proof was used before", nsid)
        }
      }
    })

    it("a plain call takes no fiber in the object", async () => {
      for (const method of methods) {
        const { nsid } = method
        const app = await letIn(world, world.alice.did, generic)
        const asked = await samples[nsid]!.make(world, world.alice)
        const call = await withApp(world, app, nsid, asked)
        const answered = await withoutFiber(method, async () =>
          direct(world, requestOf(`/xrpc/${nsid}`, call))
        )
        assert.strictEqual(answered?.status, 200, nsid)
      }
    })
  })
}
