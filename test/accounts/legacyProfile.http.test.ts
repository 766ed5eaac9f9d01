import { Secp256k1Keypair } from "@atproto/crypto"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { formatDidKey, publicKeyOf } from "../../src/core/identity/didKey.ts"
import { cidForRaw } from "../../src/core/repo/cid.ts"
import { bearer } from "../support/http/httpHost.ts"
import { makeMover } from "../support/http/httpMover.ts"
import { ok, outcomeOf, png, startWorld, upload, type World } from "../support/http/httpWorld.ts"
import { carOf, foreignRepo } from "../repo/import/importCars.ts"

const rotation = formatDidKey(publicKeyOf("k256", new Uint8Array(32).fill(0x42)))
const seed = 0x91
const collection = "app.bsky.actor.profile"
const face = png("a face of 2022")
const legacy = { cid: cidForRaw(face).toString(), mimeType: "image/png" }

/** An account that moved in with an avatar reference from before 2023: CID and type only. */
const moveIn = async (world: World) => {
  const mover = await makeMover(world, seed)
  const { did } = mover
  const createAccount = "com.atproto.server.createAccount"
  const password = "a good password"
  const input = { did, handle: "veteran.test", email: "veteran@mail.example.com", password }
  const by = bearer(await mover.token(createAccount))
  const auth = bearer(ok(await world.call(createAccount, { input, auth: by }))["accessJwt"])
  const key = await Secp256k1Keypair.import(new Uint8Array(32).fill(seed))
  const profile = { $type: collection, displayName: "Veteran", avatar: legacy }
  const repo = await foreignRepo(key, new Map([[`${collection}/self`, profile]]), { did })
  const headers = { "content-type": "application/vnd.ipld.car" }
  ok(await world.call("com.atproto.repo.importRepo", { auth, body: carOf(repo), headers }))
  const missing = ok(await world.call("com.atproto.repo.listMissingBlobs", { auth }))["blobs"]
  assert.deepStrictEqual(
    missing.map(({ cid }: { readonly cid: string }) => cid),
    [legacy.cid]
  )
  await upload(world, auth, face)
  const credentials = "com.atproto.identity.getRecommendedDidCredentials"
  const { verificationMethods } = ok(await world.call(credentials, { auth }))
  await mover.pointHere({ signing: verificationMethods["atproto"], rotation })
  ok(await world.call("com.atproto.server.activateAccount", { method: "POST", auth }))
  return { did, auth }
}

describe("a profile with a picture reference from before 2023", () => {
  let world: World
  let who: { readonly did: string; readonly auth: string }
  beforeAll(async () => {
    world = await startWorld({ INVITE_REQUIRED: "off" })
    who = await moveIn(world)
  })
  afterAll(() => world.close())

  const put = (record: object) => {
    const input = { repo: who.did, collection, rkey: "self", record }
    return world.call("com.atproto.repo.putRecord", { auth: who.auth, input })
  }

  const read = async () => {
    const params = { repo: who.did, collection, rkey: "self" }
    return ok(await world.call("com.atproto.repo.getRecord", { params }))["value"]
  }

  it("the profile is served unchanged, and an edit gives its picture today's form", async () => {
    const before = await read()
    assert.deepStrictEqual(before.avatar, legacy)
    ok(await put({ ...before, displayName: "Still here" }))
    const { cid, mimeType } = legacy
    assert.deepStrictEqual(await read(), {
      $type: collection,
      displayName: "Still here",
      avatar: { $type: "blob", ref: { $link: cid }, mimeType, size: face.byteLength }
    })
    const params = { did: who.did, cid }
    assert.strictEqual(outcomeOf(await world.call("com.atproto.sync.getBlob", { params })), "ok")
  })

  it("an edit fails if the picture is missing, or its place accepts no picture", async () => {
    const other = { cid: cidForRaw(png("nobody's face")).toString(), mimeType: "image/png" }
    for (const record of [{ banner: other }, { pinnedPost: legacy }, { more: other }]) {
      assert.strictEqual(outcomeOf(await put(record)), "400 InvalidRequest")
    }
  })
})
