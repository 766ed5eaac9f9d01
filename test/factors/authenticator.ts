import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto"
import { encode } from "cborg"

const bytesOf = (text: string) => new TextEncoder().encode(text)
const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url")
const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest()
const coordinate = (text: unknown) => new Uint8Array(Buffer.from(String(text), "base64url"))

/** The site of the tests' passkeys. */
export const site = { origin: "https://pds.example.com", rpId: "pds.example.com" }

/** False values for a result. */
export interface Lies {
  readonly id?: string
  readonly rawId?: string
  readonly kind?: string
  readonly type?: string
  readonly challenge?: string
  readonly origin?: string
  readonly rpId?: string
  readonly crossOrigin?: boolean
  readonly topOrigin?: string
  readonly flags?: number
  readonly counter?: number
  /** Bytes after the authenticator data. */
  readonly trailing?: Uint8Array
  readonly key?: Map<number, unknown>
  readonly fmt?: unknown
  readonly clientData?: Uint8Array
  readonly signature?: (signature: Buffer) => Uint8Array
  readonly transports?: unknown
  readonly idLength?: number
}

const keys = {
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 })
}

/** The algorithms of the tests' authenticators. */
export type Algorithm = keyof typeof keys

const coseKey = (algorithm: Algorithm, key: KeyObject): Map<number, unknown> => {
  const { x, y, n, e } = key.export({ format: "jwk" })
  if (algorithm === "RS256") {
    return new Map<number, unknown>([
      [1, 3],
      [3, -257],
      [-1, coordinate(n)],
      [-2, coordinate(e)]
    ])
  }
  return algorithm === "EdDSA"
    ? new Map<number, unknown>([
        [1, 1],
        [3, -8],
        [-1, 6],
        [-2, coordinate(x)]
      ])
    : new Map<number, unknown>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, coordinate(x)],
        [-3, coordinate(y)]
      ])
}

/** User present and verified. */
export const verified = 0x05

const clientData = (type: string, challenge: string, lies: Lies) =>
  lies.clientData ??
  bytesOf(
    JSON.stringify({
      type: lies.type ?? type,
      challenge: lies.challenge ?? challenge,
      origin: lies.origin ?? site.origin,
      crossOrigin: lies.crossOrigin ?? false,
      ...(lies.topOrigin === undefined ? {} : { topOrigin: lies.topOrigin })
    })
  )

/** An authenticator with one credential, whose results look like a browser's. */
export const newAuthenticator = (algorithm: Algorithm = "ES256", seed = "one") => {
  const { privateKey, publicKey } = keys[algorithm]()
  const credentialId = sha256(`credential ${seed}`)
  const id = base64url(credentialId)
  let count = 0

  const head = (lies: Lies, flags: number) => {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(lies.counter ?? count)
    return Buffer.concat([sha256(lies.rpId ?? site.rpId), Buffer.from([flags]), counter])
  }

  const answer = (lies: Lies, response: object) => ({
    id: lies.id ?? id,
    rawId: lies.rawId ?? lies.id ?? id,
    type: lies.kind ?? "public-key",
    response,
    clientExtensionResults: {},
    authenticatorAttachment: "platform"
  })

  return {
    id,
    /** The key in COSE form, for changes. */
    coseKey: () => coseKey(algorithm, publicKey),
    /** Creates the credential. */
    create: (challenge: string, lies: Lies = {}) => {
      const length = Buffer.alloc(2)
      const ownId = lies.idLength === undefined ? credentialId : Buffer.alloc(lies.idLength, 7)
      length.writeUInt16BE(ownId.length)
      const authData = Buffer.concat([
        head(lies, (lies.flags ?? verified) | 0x40),
        Buffer.alloc(16),
        length,
        ownId,
        encode(lies.key ?? coseKey(algorithm, publicKey)),
        lies.trailing ?? new Uint8Array(0)
      ])
      const attestation = {
        fmt: lies.fmt ?? "none",
        attStmt: {},
        authData: new Uint8Array(authData)
      }
      return answer(lies.idLength === undefined ? lies : { id: base64url(ownId), ...lies }, {
        clientDataJSON: base64url(clientData("webauthn.create", challenge, lies)),
        attestationObject: base64url(encode(attestation)),
        transports: lies.transports ?? ["internal", "hybrid"]
      })
    },
    /** Signs in; increases the counter once it counts. */
    get: (challenge: string, lies: Lies = {}) => {
      const authData = Buffer.concat([
        head(lies, lies.flags ?? verified),
        lies.trailing ?? new Uint8Array(0)
      ])
      const data = clientData("webauthn.get", challenge, lies)
      const signed = Buffer.concat([authData, sha256(data)])
      const signature = sign(algorithm === "EdDSA" ? null : "sha256", signed, privateKey)
      return answer(lies, {
        clientDataJSON: base64url(data),
        authenticatorData: base64url(authData),
        signature: base64url((lies.signature ?? ((made) => made))(signature)),
        userHandle: "YWxpY2U"
      })
    },
    /** Counts its uses from now on. */
    count: (to: number) => {
      count = to
    }
  }
}
