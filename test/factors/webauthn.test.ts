import { assert, describe, it } from "@effect/vitest"
import { readAuthenticatorData } from "../../src/core/factors/webauthn/authenticatorData.ts"
import { decodeMap } from "../../src/core/factors/webauthn/cbor.ts"
import {
  mayFollow,
  verifyAuthentication,
  verifyRegistration
} from "../../src/core/factors/webauthn/ceremonies.ts"
import { readCoseKey } from "../../src/core/factors/webauthn/publicKey.ts"
import { isSignedByPasskey, rawFromDer } from "../../src/core/factors/webauthn/signature.ts"
import { concatBytes } from "../../src/core/bytes/bytes.ts"
import { sha256 } from "../../src/core/repo/cid.ts"
import { type Algorithm, type Lies, newAuthenticator, site, verified } from "./authenticator.ts"
import { type Vector, vectors, vectorSite } from "./webauthnVectors.ts"

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"))
const base64url = (hex: string) => Buffer.from(hex, "hex").toString("base64url")
const challenge = Buffer.alloc(32, 9).toString("base64url")
const expected = { challenge, ...site }

/** The reason for a rejection; "none" without one. */
const reasonOf = async (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => "none",
    (error: unknown) => {
      assert.instanceOf(error, Error)
      assert.strictEqual(error.name, "WebAuthnFault", String(error))
      return error.message
    }
  )

const madeJson = ({ id, made }: Vector) => ({
  id: base64url(id),
  rawId: base64url(id),
  type: "public-key",
  response: {
    clientDataJSON: base64url(made.clientData),
    attestationObject: base64url(made.attestation)
  }
})

const usedJson = ({ id, used }: Vector) => ({
  id: base64url(id),
  rawId: base64url(id),
  type: "public-key",
  response: {
    clientDataJSON: base64url(used.clientData),
    authenticatorData: base64url(used.authenticatorData),
    signature: base64url(used.signature)
  }
})

const keyIn = ({ made }: Vector) => {
  // SAFETY: the specification's attestation objects contain authenticator data with a credential.
  const data = decodeMap(bytes(made.attestation))[0].get("authData") as Uint8Array
  return readAuthenticatorData(data).credential!.key
}

/** The expected results for each vector: registration, sign-in. */
const outcomes: Record<string, readonly [made: string, used: string]> = {
  "ES256 Credential with No Attestation": [
    "the user was not verified",
    "the user was not verified"
  ],
  "ES256 Credential with Self Attestation": ["none", "the user was not verified"],
  'ES256 Credential with "crossOrigin": true in clientDataJSON': [
    "asked for by a page inside another's",
    "asked for by a page inside another's"
  ],
  'ES256 Credential with "topOrigin" in clientDataJSON': [
    "asked for by a page inside another's",
    "asked for by a page inside another's"
  ],
  "ES256 Credential with very long credential ID": ["the user was not verified", "none"],
  "Packed Attestation with ES256 Credential": ["none", "none"],
  "Packed Attestation with RS256 Credential": ["none", "the user was not verified"],
  "Packed Attestation with Ed25519 Credential": [
    "the user was not verified",
    "the user was not verified"
  ],
  "TPM Attestation with ES256 Credential": ["none", "none"],
  "Packed Attestation with ES384 Credential": [
    "the user was not verified",
    "a public key of an algorithm that was not asked for"
  ]
}

describe("the specification's examples", () => {
  for (const vector of vectors) {
    it(`an example verifies if its user was verified: ${vector.title}`, async () => {
      const [made, used] = outcomes[vector.title]!
      const registered = verifyRegistration(madeJson(vector), {
        challenge: base64url(vector.made.challenge),
        ...vectorSite
      })
      assert.strictEqual(await reasonOf(registered), made)
      const authenticate = async () => {
        const key = readCoseKey(keyIn(vector))
        const eligible = (bytes(vector.used.authenticatorData)[32]! & 0x08) !== 0
        await verifyAuthentication(
          usedJson(vector),
          { challenge: base64url(vector.used.challenge), ...vectorSite },
          { key, counter: 0, backupEligible: eligible }
        )
      }
      assert.strictEqual(await reasonOf(authenticate()), used)
    })
  }

  it("the signatures of each algorithm verify, and fail with one byte changed", async () => {
    const algorithms = new Set<string>()
    for (const vector of vectors.filter(({ title }) => !title.includes("ES384"))) {
      const key = readCoseKey(keyIn(vector))
      algorithms.add(key.alg)
      const { authenticatorData, clientData, signature } = vector.used
      const signed = concatBytes([bytes(authenticatorData), sha256(bytes(clientData))])
      assert.isTrue(await isSignedByPasskey(key, signed, bytes(signature)), vector.title)
      signed[36]! ^= 1
      assert.isFalse(await isSignedByPasskey(key, signed, bytes(signature)), vector.title)
    }
    assert.deepStrictEqual([...algorithms].toSorted(), ["ES256", "EdDSA", "RS256"])
  })
})

describe("a new passkey", () => {
  it("a registration of each requested algorithm returns its key", async () => {
    for (const algorithm of ["ES256", "EdDSA", "RS256"] satisfies Array<Algorithm>) {
      const authenticator = newAuthenticator(algorithm)
      const made = await verifyRegistration(authenticator.create(challenge), expected)
      assert.strictEqual(made.id, authenticator.id)
      assert.strictEqual(made.key.alg, algorithm)
      assert.deepStrictEqual(made.transports, ["internal", "hybrid"])
      const counter = await verifyAuthentication(authenticator.get(challenge), expected, made)
      assert.strictEqual(counter, 0)
    }
  })

  const es256 = newAuthenticator()
  const withKey = (change: (key: Map<number, unknown>) => void): Lies => {
    const key = es256.coseKey()
    change(key)
    return { key }
  }
  const rsa = newAuthenticator("RS256").coseKey()
  const refused: ReadonlyArray<readonly [string, Lies]> = [
    ["client data of another ceremony", { type: "webauthn.get" }],
    ["another challenge", { challenge: Buffer.alloc(32, 8).toString("base64url") }],
    ["another origin", { origin: "https://pds.example.com.evil.example" }],
    ["another origin", { origin: "http://pds.example.com" }],
    ["another origin", { origin: "https://pds.example.com:8443" }],
    ["asked for by a page inside another's", { crossOrigin: true }],
    ["asked for by a page inside another's", { topOrigin: site.origin }],
    ["malformed client data", { clientData: new TextEncoder().encode("[]") }],
    ["malformed client data", { clientData: new Uint8Array([0xff]) }],
    ["a credential of another site", { rpId: "example.com" }],
    ["the user was not present", { flags: 0x04 }],
    ["the user was not verified", { flags: 0x01 }],
    ["contradicting backup flags", { flags: verified | 0x10 }],
    ["bytes after the authenticator data", { trailing: new Uint8Array([0]) }],
    ["a malformed attestation object", { fmt: 7 }],
    ["another credential id", { id: "b3RoZXI" }],
    ["a malformed answer", { rawId: "b3RoZXI" }],
    ["a malformed answer", { kind: "password" }],
    ["a credential id of bad length", { idLength: 1024 }],
    ["a credential id of bad length", { idLength: 0 }],
    ["a public key of an algorithm that was not asked for", withKey((key) => key.set(3, -35))],
    ["a public key of an algorithm that was not asked for", withKey((key) => key.delete(3))],
    ["a public key of an algorithm that was not asked for", withKey((key) => key.set(1, 3))],
    ["a public key on another curve", withKey((key) => key.set(-1, 2))],
    ["a malformed public key", withKey((key) => key.set(-2, new Uint8Array(31)))],
    ["a malformed public key", withKey((key) => key.delete(-3))],
    ["a public key that is none", withKey((key) => key.set(-3, new Uint8Array(32).fill(1)))],
    ["a malformed public key", { key: new Map(rsa).set(-1, new Uint8Array(128).fill(255)) }]
  ]

  for (const [reason, lies] of refused) {
    const lie = JSON.stringify(lies, (_, value) => (value instanceof Map ? [...value] : value))
    it(`a registration is rejected for ${reason}: ${lie.slice(0, 60)}`, async () => {
      const attempt = verifyRegistration(es256.create(challenge, lies), expected)
      assert.strictEqual(await reasonOf(attempt), reason)
    })
  }

  it("a credential id may have 1023 bytes", async () => {
    const made = await verifyRegistration(es256.create(challenge, { idLength: 1023 }), expected)
    assert.strictEqual(Buffer.from(made.id, "base64url").length, 1023)
  })

  it("a registration keeps at most eight valid transports, each once", async () => {
    const odd = ["usb", "usb", 7, "<b>", "", "x".repeat(33), ..."abcdefghijk"]
    const made = await verifyRegistration(es256.create(challenge, { transports: odd }), expected)
    assert.deepStrictEqual(made.transports, ["usb", ..."abcdefg"])
    const none = await verifyRegistration(es256.create(challenge, { transports: "usb" }), expected)
    assert.deepStrictEqual(none.transports, [])
  })

  it("a registration is rejected if anything is missing, mistyped, too long or nested too deep", async () => {
    const good = es256.create(challenge)
    const deep = Buffer.alloc(49_000, 0x81).toString("base64url")
    const broken: ReadonlyArray<Record<string, unknown>> = [
      {},
      { ...good, response: null },
      { ...good, response: [] },
      { ...good, response: {} },
      { ...good, response: { ...good.response, clientDataJSON: 7 } },
      { ...good, response: { ...good.response, clientDataJSON: "a+b=" } },
      { ...good, response: { ...good.response, attestationObject: "" } },
      { ...good, response: { ...good.response, attestationObject: "oA" } },
      { ...good, response: { ...good.response, attestationObject: "A".repeat(65_540) } },
      { ...good, response: { ...good.response, attestationObject: deep } }
    ]
    for (const json of broken) {
      assert.notStrictEqual(await reasonOf(verifyRegistration(json, expected)), "none")
    }
  })

  it("a registration is rejected with any truncated attestation", async () => {
    const good = es256.create(challenge)
    const whole = Buffer.from(
      (good.response as { attestationObject: string }).attestationObject,
      "base64url"
    )
    for (let length = 0; length < whole.length; length++) {
      const attestationObject = whole.subarray(0, length).toString("base64url")
      const json = { ...good, response: { ...good.response, attestationObject } }
      assert.notStrictEqual(await reasonOf(verifyRegistration(json, expected)), "none", `${length}`)
    }
  })
})

describe("a passkey sign-in", () => {
  const authenticator = newAuthenticator()
  const known = verifyRegistration(authenticator.create(challenge), expected)

  const refused: ReadonlyArray<readonly [string, Lies]> = [
    ["client data of another ceremony", { type: "webauthn.create" }],
    ["another challenge", { challenge: "" }],
    ["another origin", { origin: "https://example.com" }],
    ["asked for by a page inside another's", { crossOrigin: true }],
    ["a credential of another site", { rpId: "com" }],
    ["the user was not present", { flags: 0x04 }],
    ["the user was not verified", { flags: 0x01 }],
    ["contradicting backup flags", { flags: verified | 0x10 }],
    ["another backup eligibility than when it was made", { flags: verified | 0x08 }],
    ["bytes after the authenticator data", { trailing: new Uint8Array([0xa0]) }],
    ["a wrong signature", { signature: (made) => made.fill(made.at(-1)! ^ 1, made.length - 1) }],
    ["a malformed signature", { signature: () => new Uint8Array([0x30, 0]) }],
    ["malformed signature", { signature: () => new Uint8Array(0) }]
  ]

  for (const [at, [reason, lies]] of refused.entries()) {
    it(`a sign-in is rejected for ${reason} (${at})`, async () => {
      const attempt = verifyAuthentication(
        authenticator.get(challenge, lies),
        expected,
        await known
      )
      assert.strictEqual(await reasonOf(attempt), reason)
    })
  }

  it("a sign-in is rejected with another key, or a signature over other client data", async () => {
    const other = newAuthenticator().get(challenge)
    assert.strictEqual(
      await reasonOf(verifyAuthentication(other, expected, await known)),
      "a wrong signature"
    )
    const one = authenticator.get(challenge)
    const spaced = new TextEncoder().encode(
      JSON.stringify({ type: "webauthn.get", challenge, origin: site.origin, more: 1 })
    )
    const clientDataJSON = Buffer.from(spaced).toString("base64url")
    const mixed = { ...one, response: { ...one.response, clientDataJSON } }
    assert.strictEqual(
      await reasonOf(verifyAuthentication(mixed, expected, await known)),
      "a wrong signature"
    )
  })

  it("a sign-in may have extensions, which are ignored, if they are a map", async () => {
    const flags = verified | 0x80
    const answered = authenticator.get(challenge, { flags, trailing: new Uint8Array([0xa0]) })
    assert.strictEqual(await verifyAuthentication(answered, expected, await known), 0)
    for (const trailing of [[], [0x80], [0xa0, 0xa0], [0xbf, 0xff]]) {
      const odd = authenticator.get(challenge, { flags, trailing: new Uint8Array(trailing) })
      assert.notStrictEqual(
        await reasonOf(verifyAuthentication(odd, expected, await known)),
        "none"
      )
    }
  })

  it("a sign-in returns the counter, which may stay zero but must increase once it counts", async () => {
    const counted = authenticator.get(challenge, { counter: 0xfffffffe })
    assert.strictEqual(await verifyAuthentication(counted, expected, await known), 0xfffffffe)
    const pairs = [
      [0, 0],
      [1, 0],
      [6, 5],
      [5, 5],
      [4, 5],
      [0, 5]
    ] as const
    assert.deepStrictEqual(
      pairs.map(([counter, before]) => mayFollow(counter, before)),
      [true, true, true, false, false, false]
    )
  })
})

/** DER integers in one sequence. */
const der = (...parts: ReadonlyArray<ReadonlyArray<number>>) => {
  const inner = parts.flatMap((value) => [2, value.length, ...value])
  return new Uint8Array([0x30, inner.length, ...inner])
}

describe("an ECDSA signature in DER", () => {
  it("rawFromDer returns 64 bytes for numbers of any length", () => {
    const raw = rawFromDer(der([1], [0, 0x80]))
    assert.deepStrictEqual([raw.length, raw[31], raw[63]], [64, 1, 0x80])
    const long = rawFromDer(der([0, ...Array<number>(32).fill(0xff)], Array<number>(32).fill(0x7f)))
    assert.deepStrictEqual([long[0], long[31], long[32], long[63]], [0xff, 0xff, 0x7f, 0x7f])
  })

  it("rawFromDer accepts only the canonical form", () => {
    const good = der([1], [2])
    const bad = [
      der([1]),
      der([1], [2], [3]),
      der([], [2]),
      der([0, 1], [2]),
      der([0x80], [2]),
      der(Array<number>(33).fill(1), [2]),
      good.subarray(0, -1),
      new Uint8Array([...good, 0]),
      new Uint8Array([0x31, ...good.subarray(1)]),
      new Uint8Array([0x30, 0x81, 6, ...good.subarray(2)]),
      new Uint8Array(0)
    ]
    for (const one of bad) assert.throws(() => rawFromDer(one), "a malformed signature")
  })
})
