import * as Crypto from "@atproto/crypto"
import { assert, describe, it } from "@effect/vitest"
import {
  formatDidKey,
  generatePrivateKey,
  publicKeyOf,
  signBytes
} from "../../src/core/identity/didKey.ts"
import { documentOf, PlcLogs, verifyLog } from "../../src/core/identity/plcLog.ts"
import * as Plc from "../../src/core/identity/plcOperation.ts"
import { parseOperation, parsePlcData } from "../../src/core/identity/plcParse.ts"
import { signedByOthers } from "./support.ts"

const makeKey = (curve: "k256" | "p256" = "k256") => {
  const secret = generatePrivateKey(curve)
  return {
    didKey: formatDidKey(publicKeyOf(curve, secret)),
    sign: <A extends Plc.Unsigned>(operation: A): Plc.Signed<A> =>
      Plc.withSignature(operation, signBytes(curve, secret, Plc.unsignedBytes(operation)))
  }
}

const signing = makeKey()
const owner = makeKey()
const host = makeKey("p256")
const stranger = makeKey()

const data: Plc.PlcData = {
  rotationKeys: [owner.didKey, host.didKey],
  verificationMethods: { atproto: signing.didKey },
  alsoKnownAs: ["at://alice.test"],
  services: {
    atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: "https://pds.example.com" }
  }
}

const genesis = host.sign(Plc.genesisOperation(data))
const did = Plc.didOfGenesis(genesis)
const update = owner.sign(Plc.updateOperation(genesis, { alsoKnownAs: ["at://alice.example.com"] }))

const refused = (log: ReadonlyArray<Plc.PlcOperation>, because: RegExp) =>
  assert.throws(() => verifyLog(did, log), because)

describe("PLC operations", () => {
  for (const make of [Crypto.Secp256k1Keypair, Crypto.P256Keypair]) {
    it(`operations have the bytes, CID and DID that other libraries compute (${make.name})`, async () => {
      const key = await make.create({ exportable: true })
      const unsigned = Plc.genesisOperation({ ...data, rotationKeys: [key.did()] })
      const theirs = await signedByOthers({ ...unsigned }, key)
      const secret = await key.export()
      const curve = make === Crypto.Secp256k1Keypair ? "k256" : "p256"
      const ours = Plc.withSignature(
        unsigned,
        signBytes(curve, secret, Plc.unsignedBytes(unsigned))
      )
      assert.deepStrictEqual(ours, parseOperation(theirs.operation))
      assert.strictEqual(Plc.cidOfOperation(ours).toString(), theirs.cid)
      assert.strictEqual(Plc.didOfGenesis(ours), theirs.did)
      assert.deepStrictEqual(verifyLog(theirs.did, [ours]).data, Plc.dataOf(ours))
    })
  }

  it("updateOperation changes the named fields and keeps the rest", () => {
    assert.strictEqual(update.prev, Plc.cidOfOperation(genesis).toString())
    assert.deepStrictEqual(verifyLog(did, [genesis, update]).data, {
      ...data,
      alsoKnownAs: ["at://alice.example.com"]
    })
  })

  it("a tombstone ends a DID, and nothing may follow", () => {
    const end = host.sign(Plc.tombstoneOperation(update))
    assert.deepStrictEqual(verifyLog(did, [genesis, update, end]), { did, data: null })
    refused([genesis, update, end, update], /tombstone/)
    assert.throws(() => Plc.updateOperation(end, {}), Plc.InvalidPlcOperation)
  })

  it("dataOf converts old create operations as the directory does", async () => {
    const recovery = await Crypto.Secp256k1Keypair.create()
    const old = await Crypto.Secp256k1Keypair.create({ exportable: true })
    const theirs = await signedByOthers(
      {
        type: "create",
        signingKey: old.did(),
        recoveryKey: recovery.did(),
        handle: "alice.test",
        service: "pds.example.com",
        prev: null
      },
      old
    )
    const create = parseOperation(theirs.operation)
    assert.deepStrictEqual(verifyLog(theirs.did, [create]).data, {
      rotationKeys: [recovery.did(), old.did()],
      verificationMethods: { atproto: old.did() },
      alsoKnownAs: ["at://alice.test"],
      services: {
        atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: "https://pds.example.com" }
      }
    })
    const next = Plc.updateOperation(create, { rotationKeys: [host.didKey] })
    const signed = Plc.withSignature(
      next,
      signBytes("k256", await old.export(), Plc.unsignedBytes(next))
    )
    assert.deepStrictEqual(
      verifyLog(theirs.did, [create, signed, host.sign(Plc.updateOperation(signed, data))]).data,
      data
    )
  })

  it("verifyLog rejects operations that create another DID or don't follow", () => {
    assert.throws(() => verifyLog("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", [genesis]), /another DID/)
    refused([], /empty/)
    refused([update], /has a prev/)
    refused([genesis, genesis], /not the last operation/)
    refused([genesis, update, update], /not the last operation/)
    refused([host.sign(Plc.tombstoneOperation(genesis))], /nothing to end/)
    refused([genesis, owner.sign(Plc.updateOperation(update, {}))], /not the last operation/)
  })

  it("verifyLog rejects operations that no current rotation key signed", () => {
    refused([genesis, stranger.sign(Plc.updateOperation(genesis, {}))], /not signed/)
    refused([genesis, signing.sign(Plc.updateOperation(genesis, {}))], /not signed/)
    const handover = owner.sign(Plc.updateOperation(genesis, { rotationKeys: [stranger.didKey] }))
    refused([genesis, handover, owner.sign(Plc.updateOperation(handover, {}))], /not signed/)
    verifyLog(did, [genesis, handover, stranger.sign(Plc.updateOperation(handover, {}))])
    const self = stranger.sign(Plc.genesisOperation(data))
    assert.throws(() => verifyLog(Plc.didOfGenesis(self), [self]), /not signed/)
  })

  it("verifyLog rejects anything that was changed after signing", () => {
    refused([genesis, { ...update, alsoKnownAs: ["at://mallory.test"] }], /not signed/)
    refused([genesis, { ...update, sig: `${update.sig}=` }], /not signed/)
    refused([genesis, { ...update, sig: update.sig.slice(0, -2) }], /not signed/)
  })

  it("signerOf returns the strongest matching key", () => {
    assert.strictEqual(Plc.signerOf(genesis, data.rotationKeys), host.didKey)
    assert.strictEqual(Plc.signerOf(update, data.rotationKeys), owner.didKey)
    assert.isUndefined(Plc.signerOf(update, [host.didKey]))
  })

  it("parseOperation accepts JSON and rejects what exceeds the directory's limits", () => {
    assert.deepStrictEqual(parseOperation(JSON.parse(JSON.stringify(update))), update)
    const long = "x".repeat(300)
    const many = (count: number) => Array.from({ length: count }, (_, at) => `at://a${at}.test`)
    const changes: ReadonlyArray<object> = [
      { rotationKeys: [] },
      { rotationKeys: [owner.didKey, owner.didKey] },
      { rotationKeys: ["did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"] },
      { rotationKeys: "text" },
      { alsoKnownAs: many(11) },
      { alsoKnownAs: [`at://${long}`] },
      { alsoKnownAs: ["at://a.test", "at://a.test"] },
      { alsoKnownAs: [1] },
      { verificationMethods: { atproto: "key" } },
      { verificationMethods: { ["x".repeat(33)]: owner.didKey } },
      { verificationMethods: [] },
      { services: { x: { type: "T", endpoint: "x".repeat(513) } } },
      { services: { x: { type: "T", endpoint: "https://x", more: 1 } } },
      { services: { x: "https://x" } },
      { prev: 7 },
      { prev: undefined },
      { sig: undefined },
      { sig: "" },
      { type: "plc_other" },
      { extra: true }
    ]
    for (const change of changes) {
      assert.throws(() => parseOperation({ ...update, ...change }), Plc.InvalidPlcOperation)
    }
    const big = Object.fromEntries(
      Array.from({ length: 9 }, (_, at) => [`s${at}`, { type: "T", endpoint: "x".repeat(500) }])
    )
    assert.throws(() => parseOperation({ ...update, services: big }), /larger than 4000/)
    for (const json of [null, [], "text", 1]) {
      assert.throws(() => parseOperation(json), Plc.InvalidPlcOperation)
    }
  })

  it("parseOperation accepts verification methods of other curves", () => {
    const methods = { other: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK" }
    const parsed = parseOperation({ ...update, verificationMethods: methods })
    assert.deepStrictEqual(parsePlcData({ did, ...data, verificationMethods: methods }), {
      ...data,
      verificationMethods: methods
    })
    assert.strictEqual(parsed.type, "plc_operation")
  })
})

describe("the in-memory PLC directory", () => {
  it("submit keeps what it accepted and nothing that it rejected", () => {
    const logs = new PlcLogs()
    assert.isUndefined(logs.state(did))
    assert.throws(() => logs.submit(did, update), Plc.InvalidPlcOperation)
    assert.isUndefined(logs.log(did))
    logs.submit(did, genesis)
    assert.throws(() => logs.submit(did, genesis), Plc.InvalidPlcOperation)
    logs.submit(did, update)
    assert.deepStrictEqual(logs.log(did), [genesis, update])
    assert.deepStrictEqual(new PlcLogs(logs.entries()).state(did), logs.state(did))
  })

  it("PlcLogs rejects an initial log that doesn't verify", () => {
    assert.throws(() => new PlcLogs([[did, [genesis, genesis]]]), Plc.InvalidPlcOperation)
  })

  it("documentOf builds DID documents with key, handle and service", () => {
    const document = documentOf(did, data)
    assert.deepStrictEqual(document.alsoKnownAs, ["at://alice.test"])
    assert.deepStrictEqual(document.verificationMethod, [
      {
        id: `${did}#atproto`,
        type: "Multikey",
        controller: did,
        publicKeyMultibase: signing.didKey.slice("did:key:".length)
      }
    ])
    assert.deepStrictEqual(document.service, [
      {
        id: "#atproto_pds",
        type: "AtprotoPersonalDataServer",
        serviceEndpoint: "https://pds.example.com"
      }
    ])
  })
})
