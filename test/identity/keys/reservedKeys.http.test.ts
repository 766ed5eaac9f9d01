import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { formatDidKey, publicKeyOf } from "../../../src/core/identity/didKey.ts"
import { basic, bearer } from "../../support/http/httpHost.ts"
import { makeMover, type Mover } from "../../support/http/httpMover.ts"
import { ok, startWorld, type World } from "../../support/http/httpWorld.ts"

const createAccount = "com.atproto.server.createAccount"
const rotation = formatDidKey(publicKeyOf("k256", new Uint8Array(32).fill(0x42)))

describe("reserveSigningKey", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const reserve = async (input: object): Promise<string> =>
    ok(await world.call("com.atproto.server.reserveSigningKey", { input }))["signingKey"]

  const moveIn = async (mover: Mover) => {
    const invite = { auth: basic(), input: { useCount: 1 } }
    const { code } = ok(await world.call("com.atproto.server.createInviteCode", invite))
    const name = `moved${world.next()}`
    return ok(
      await world.call(createAccount, {
        auth: bearer(await mover.token(createAccount)),
        input: {
          did: mover.did,
          handle: `${name}.test`,
          email: `${name}@mail.example.com`,
          password: "a good password",
          inviteCode: code
        }
      })
    )
  }

  const signingKeyOf = async (accessJwt: string): Promise<string> => {
    const nsid = "com.atproto.identity.getRecommendedDidCredentials"
    const { verificationMethods } = ok(await world.call(nsid, { auth: bearer(accessJwt) }))
    return verificationMethods.atproto
  }

  it("a reserved key is the same for a DID on each call, and different for every other DID", async () => {
    const did = "did:plc:reserved234reserved234re"
    const first = await reserve({ did })
    assert.match(first, /^did:key:z/)
    const keys = await Promise.all([reserve({ did }), reserve({ did }), reserve({ did })])
    assert.deepStrictEqual([...new Set(keys)], [first])
    assert.notStrictEqual(await reserve({ did: world.alice.did }), first)
  })

  it("a reserved key signs for the DID that moves in", async () => {
    const mover = await makeMover(world, 21)
    const key = await reserve({ did: mover.did })
    const { accessJwt } = await moveIn(mover)
    assert.strictEqual(await signingKeyOf(accessJwt), key)
    await mover.pointHere({ signing: key, rotation })
    const activate = { auth: bearer(accessJwt), method: "POST" }
    ok(await world.call("com.atproto.server.activateAccount", activate))
    assert.notStrictEqual(await reserve({ did: mover.did }), key)
  })

  it("a reserved key signs for a did:web of this host", async () => {
    const did = `did:web:reserved${world.next()}.test`
    const key = await reserve({ did })
    const who = { did, handle: did.slice(8), email: "reserved@mail.example.com" }
    const input = { ...who, password: "a good password" }
    const made = ok(await world.call(createAccount, { auth: basic(), input }))
    assert.strictEqual(await signingKeyOf(made["accessJwt"]), key)
    assert.include(JSON.stringify(made["didDoc"]), key.slice("did:key:".length))
  })

  it("a key reserved without a DID signs for the DID whose document names it, under any fragment", async () => {
    const mover = await makeMover(world, 22)
    const [key, other] = await Promise.all([reserve({}), reserve({})])
    assert.notStrictEqual(key, other)
    const operation = await mover.signed({})
    const before = operation.type === "plc_operation" ? operation.verificationMethods : {}
    await mover.change({ verificationMethods: { ...before, atproto_next: key } })
    const { accessJwt } = await moveIn(mover)
    assert.strictEqual(await signingKeyOf(accessJwt), key)
  })

  it("a key reserved without a DID isn't used for a DID whose document doesn't name it", async () => {
    const mover = await makeMover(world, 23)
    const key = await reserve({})
    const { accessJwt } = await moveIn(mover)
    assert.notStrictEqual(await signingKeyOf(accessJwt), key)
  })
})
