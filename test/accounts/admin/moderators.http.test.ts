import { createServiceJwt } from "@atproto/xrpc-server"
import { Secp256k1Keypair } from "@atproto/crypto"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { bearer, serviceDid } from "../../support/http/httpHost.ts"
import {
  moderatorDid,
  moderatorEnv,
  moderatorToken,
  publishModerator
} from "../../support/http/httpModerator.ts"
import { ok, outcomeOf, startWorld, type World } from "../../support/http/httpWorld.ts"

const statusMethod = "com.atproto.admin.getSubjectStatus"
const updateMethod = "com.atproto.admin.updateSubjectStatus"
const preferencesMethod = "app.bsky.actor.getPreferences"

type Change = NonNullable<Parameters<typeof moderatorToken>[2]>

describe("a configured moderation service", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld(moderatorEnv)
    await publishModerator(world)
  })
  afterAll(() => world.close())

  const see = async (change: Change = {}) => {
    const auth = bearer(await moderatorToken(world, statusMethod, change))
    return world.call(statusMethod, { auth, params: { did: world.alice.did } })
  }

  it("a moderation service takes an account down and restores it, with a token for each call", async () => {
    const { did } = world.alice
    const subject = { $type: "com.atproto.admin.defs#repoRef", did }
    const update = async (takedown: object) => {
      const auth = bearer(await moderatorToken(world, updateMethod))
      return ok(await world.call(updateMethod, { auth, input: { subject, takedown } }))
    }
    await update({ applied: true, ref: "case 7" })
    assert.deepStrictEqual(ok(await see())["takedown"], { applied: true, ref: "case 7" })
    await update({ applied: false })
    assert.deepStrictEqual(ok(await see())["takedown"], { applied: false })
  })

  it("the server accepts a token that the official library signed", async () => {
    const keypair = await Secp256k1Keypair.import(new Uint8Array(32).fill(61))
    const claims = { iss: moderatorDid, aud: serviceDid, lxm: statusMethod, keypair }
    const auth = bearer(await createServiceJwt(claims))
    const { did } = world.alice
    ok(await world.call(statusMethod, { auth, params: { did } }))
  })

  it("a moderation service signs as an account or as a labeler, by fragment or by kid", async () => {
    const labeler = `${moderatorDid}#atproto_labeler`
    const tokens: ReadonlyArray<Change> = [
      { header: { kid: "#atproto" } },
      { header: { kid: `${moderatorDid}#atproto` } },
      { by: "atproto_label", claims: { iss: labeler } },
      { by: "atproto_label", header: { kid: "#atproto_label" } },
      { claims: { aud: `${serviceDid}#atproto_pds` } }
    ]
    for (const token of tokens) assert.strictEqual(outcomeOf(await see(token)), "ok")
  })

  it("a moderation service may call only the moderation methods", async () => {
    const past = Math.floor(world.now() / 1000) - 1
    const refused: ReadonlyArray<readonly [string, Change]> = [
      ["401 BadJwtSignature", { by: "stranger" }],
      ["401 BadJwtSignature", { by: "atproto_label" }],
      ["401 BadJwtSignature", { claims: { iss: `${moderatorDid}#atproto_labeler` } }],
      ["401 BadJwtIss", { header: { kid: "#other" } }],
      ["401 BadJwt", { header: { kid: "did:web:else.example.com#atproto" } }],
      ["401 BadJwtType", { header: { typ: "at+jwt" } }],
      ["401 BadJwtSignature", { header: { alg: "ES256" } }],
      ["401 BadJwtSignature", { header: { alg: "none" } }],
      ["401 JwtExpired", { claims: { exp: past } }],
      ["401 BadJwt", { claims: { exp: undefined } }],
      ["401 BadJwtAudience", { claims: { aud: "did:web:other.example.com" } }],
      ["401 BadJwtAudience", { claims: { aud: world.alice.did } }],
      ["401 BadJwtLexiconMethod", { claims: { lxm: updateMethod } }],
      ["401 BadJwtLexiconMethod", { claims: { lxm: undefined } }],
      ["401 UntrustedIss", { claims: { iss: `${moderatorDid}#bsky_appview` } }]
    ]
    for (const [outcome, change] of refused) {
      assert.strictEqual(outcomeOf(await see(change)), outcome, JSON.stringify(change))
    }
  })

  it("the server rejects every other service's token without looking up its key", async () => {
    const other = "did:web:mod.else.example.com"
    await publishModerator(world, undefined, other)
    const asked = world.network.asked.length
    const answer = await see({ claims: { iss: other } })
    assert.strictEqual(outcomeOf(answer), "401 UntrustedIss")
    assert.lengthOf(world.network.asked, asked)
  })

  it("a moderation service may use each token once", async () => {
    const auth = bearer(await moderatorToken(world, statusMethod))
    const params = { did: world.alice.did }
    assert.strictEqual(outcomeOf(await world.call(statusMethod, { auth, params })), "ok")
    assert.strictEqual(outcomeOf(await world.call(statusMethod, { auth, params })), "401 BadJwt")
  })

  it("a new key of the moderation service is looked up once", async () => {
    assert.strictEqual(outcomeOf(await see()), "ok")
    await publishModerator(world, { atproto: "stranger", atproto_label: "atproto_label" })
    const asked = world.network.asked.length
    assert.strictEqual(outcomeOf(await see({ by: "stranger" })), "ok")
    assert.lengthOf(world.network.asked, asked + 1)
    assert.strictEqual(outcomeOf(await see()), "401 BadJwtSignature")
    await publishModerator(world)
    assert.strictEqual(outcomeOf(await see()), "ok")
  })

  it("a moderation service reads the preferences of the account that it names, and can't change any", async () => {
    const { did, auth: own } = world.bob
    const birthDate = "1990-01-01T00:00:00.000Z"
    const details = { $type: "app.bsky.actor.defs#personalDetailsPref", birthDate }
    const put = "app.bsky.actor.putPreferences"
    ok(await world.call(put, { auth: own, input: { preferences: [details] } }))
    const ask = async (params: Readonly<Record<string, string>>, lxm = preferencesMethod) =>
      world.call(lxm, { auth: bearer(await moderatorToken(world, lxm)), params })
    assert.deepInclude(ok(await ask({ did }))["preferences"], details)
    assert.strictEqual(outcomeOf(await ask({ did: world.carol.did })), "ok")
    assert.strictEqual(outcomeOf(await ask({})), "400 InvalidRequest")
    const auth = bearer(await moderatorToken(world, put))
    const change = { auth, query: `?did=${did}`, input: { preferences: [] } }
    assert.strictEqual(outcomeOf(await world.call(put, change)), "403 AccountNotFound")
    const { alice } = world
    const others = await world.call(preferencesMethod, { auth: alice.auth, params: { did } })
    assert.notDeepInclude(ok(others)["preferences"], details)
  })
})

describe("a service that requests are proxied to", () => {
  it("a proxied moderation service is not a moderator of this server", async () => {
    const world = await startWorld({ MOD_SERVICE: `${moderatorDid}#atproto_labeler` })
    await publishModerator(world)
    const auth = bearer(await moderatorToken(world, statusMethod))
    const params = { did: world.alice.did }
    const answer = await world.call(statusMethod, { auth, params })
    assert.strictEqual(outcomeOf(answer), "401 AuthenticationRequired")
    const token = bearer(await moderatorToken(world, preferencesMethod))
    const seen = await world.call(preferencesMethod, { auth: token, params })
    assert.strictEqual(outcomeOf(seen), "403 AccountNotFound")
    await world.close()
  })
})
