import { assert, describe, it } from "@effect/vitest"
import * as Crypto from "@atproto/crypto"
import * as DidDocument from "../../src/core/identity/didDocument.ts"

const did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"

const document = (parts: object) => DidDocument.parseDidDocument(did, { id: did, ...parts })

describe("DID documents", () => {
  it("a document we built is parsed with its key, PDS and handle", async () => {
    for (const key of [await Crypto.Secp256k1Keypair.create(), await Crypto.P256Keypair.create()]) {
      const made = DidDocument.accountDidDocument({
        did,
        handle: "alice.test",
        signingKey: key.did(),
        pds: "https://pds.example.com"
      })
      const read = DidDocument.parseDidDocument(did, JSON.parse(JSON.stringify(made)))
      assert.deepStrictEqual(read, made)
      assert.strictEqual(DidDocument.signingKeyOf(read), key.did())
      assert.strictEqual(DidDocument.pdsOf(read), "https://pds.example.com")
      assert.strictEqual(DidDocument.handleOf(read), "alice.test")
    }
  })

  it("the host's document names its service and no key", () => {
    const host = DidDocument.hostDidDocument("did:web:pds.example.com", "https://pds.example.com")
    assert.strictEqual(DidDocument.pdsOf(host), "https://pds.example.com")
    assert.isUndefined(DidDocument.signingKeyOf(host))
    assert.isUndefined(DidDocument.handleOf(host))
  })

  it("parseDidDocument rejects another DID's document, and anything else", () => {
    for (const json of [
      { id: "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa" },
      {},
      null,
      "text",
      [],
      { id: did, service: "x" },
      { id: did, alsoKnownAs: { 0: "at://x.test" } },
      { id: did, verificationMethod: Array.from({ length: 65 }, () => ({})) }
    ]) {
      assert.throws(() => DidDocument.parseDidDocument(did, json), DidDocument.InvalidDidDocument)
    }
  })

  it("signingKeyOf reads keys in the old forms, with short and full ids", async () => {
    const k256 = await Crypto.Secp256k1Keypair.create()
    const p256 = await Crypto.P256Keypair.create()
    const bare = (key: Crypto.Keypair & { publicKeyBytes(): Uint8Array }) =>
      Crypto.bytesToMultibase(key.publicKeyBytes(), "base58btc")
    for (const [type, key] of [
      ["EcdsaSecp256k1VerificationKey2019", k256],
      ["EcdsaSecp256r1VerificationKey2019", p256]
    ] as const) {
      for (const id of ["#atproto", `${did}#atproto`]) {
        const read = document({
          verificationMethod: [{ id, type, controller: did, publicKeyMultibase: bare(key) }]
        })
        assert.strictEqual(DidDocument.signingKeyOf(read), key.did())
      }
    }
  })

  it("signingKeyOf ignores a key that is broken, of an unknown type, or another DID's", async () => {
    const key = (await Crypto.Secp256k1Keypair.create()).did().slice("did:key:".length)
    for (const method of [
      { id: "#atproto", type: "Ed25519VerificationKey2020", publicKeyMultibase: key },
      { id: "#atproto", type: "constructor", publicKeyMultibase: key },
      { id: "#atproto", type: "Multikey", publicKeyMultibase: "zzzz" },
      { id: "#atproto", type: "Multikey" },
      { id: "#other", type: "Multikey", publicKeyMultibase: key },
      { id: "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa#atproto", type: "Multikey", publicKeyMultibase: key },
      "text"
    ]) {
      assert.isUndefined(DidDocument.signingKeyOf(document({ verificationMethod: [method] })))
    }
  })

  it("serviceOf returns services by id and type, if the endpoint is a web address", () => {
    const read = document({
      service: [
        { id: "#bsky_fg", type: "BskyFeedGenerator", serviceEndpoint: "https://feeds.example.com" },
        { id: "#atproto_pds", type: "Other", serviceEndpoint: "https://pds.example.com" },
        { id: "#many", type: "X", serviceEndpoint: ["https://a.example.com"] },
        { id: "#ftp", type: "X", serviceEndpoint: "ftp://a.example.com" }
      ]
    })
    assert.strictEqual(DidDocument.serviceOf(read, "bsky_fg"), "https://feeds.example.com")
    assert.isUndefined(DidDocument.serviceOf(read, "bsky_fg", "Other"))
    assert.isUndefined(DidDocument.serviceOf(read, "many"))
    assert.isUndefined(DidDocument.serviceOf(read, "ftp"))
    assert.isUndefined(DidDocument.pdsOf(read))
  })

  it("handleOf returns the first valid handle in lower case, if any", () => {
    const handleOf = (alsoKnownAs: ReadonlyArray<unknown>) =>
      DidDocument.handleOf(document({ alsoKnownAs }))
    assert.strictEqual(handleOf(["https://x.com", "at://Alice.Test", "at://b.test"]), "alice.test")
    assert.strictEqual(
      handleOf(["at://not a handle", "at://did:web:a.test", "at://b.test"]),
      "b.test"
    )
    assert.isUndefined(handleOf([7, "alice.test"]))
    assert.isUndefined(handleOf([]))
  })
})
