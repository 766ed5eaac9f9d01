import { base32 } from "multiformats/bases/base32"
import { type Cid, cidForCbor, sha256 } from "../repo/cid.ts"
import { encode } from "../repo/cbor.ts"
import { fromBase64Url, toBase64Url } from "../bytes/base64url.ts"
import { verifyBytes } from "./didKey.ts"

/** A service of a DID, in the PLC directory's form. */
export interface PlcService {
  readonly type: string
  readonly endpoint: string
}

/** The data that an operation sets. */
export interface PlcData {
  /** The did:keys that may change the DID, strongest first. */
  readonly rotationKeys: ReadonlyArray<string>
  readonly verificationMethods: Readonly<Record<string, string>>
  readonly alsoKnownAs: ReadonlyArray<string>
  readonly services: Readonly<Record<string, PlcService>>
}

/** A current operation before signing; `prev` is null for the one that creates the DID. */
export interface UnsignedOperation extends PlcData {
  readonly type: "plc_operation"
  readonly prev: string | null
}

/** A tombstone before signing. */
export interface UnsignedTombstone {
  readonly type: "plc_tombstone"
  readonly prev: string
}

/** The first operation of DIDs from before 2023, before signing. */
export interface UnsignedCreate {
  readonly type: "create"
  readonly signingKey: string
  readonly recoveryKey: string
  readonly handle: string
  readonly service: string
  readonly prev: null
}

/** Any operation before signing. */
export type Unsigned = UnsignedOperation | UnsignedTombstone | UnsignedCreate

/** An operation with its signature: base64url, 64 bytes, low S. */
export type Signed<A extends Unsigned> = A & { readonly sig: string }

/** A signed current operation. */
export type PlcUpdate = Signed<UnsignedOperation>

/** A signed operation of any type. */
export type PlcOperation = PlcUpdate | Signed<UnsignedTombstone> | Signed<UnsignedCreate>

/** The directory must reject this operation. */
export class InvalidPlcOperation extends Error {
  override readonly name = "InvalidPlcOperation"
}

/** The largest operation that the directory accepts, in bytes of DAG-CBOR. */
export const maxOperationBytes = 4000

/** The signed bytes: DAG-CBOR of the operation without its signature. */
export const unsignedBytes = (operation: Unsigned): Uint8Array => {
  const { sig: _, ...unsigned } = operation as Unsigned & { readonly sig?: string }
  return encode(plain(unsigned as Unsigned))
}

/** The bytes that DID and CID are derived from: DAG-CBOR of the operation with its signature. */
export const signedBytes = (operation: PlcOperation): Uint8Array => encode(plain(operation))

/** Adds a signature to an operation. */
export const withSignature = <A extends Unsigned>(
  operation: A,
  signature: Uint8Array
): Signed<A> => ({ ...operation, sig: toBase64Url(signature) })

/** The operation that creates a DID. */
export const genesisOperation = (data: PlcData): UnsignedOperation => ({
  type: "plc_operation",
  ...dataFields(data),
  prev: null
})

/** The operation that follows another; fields missing from `change` stay the same. */
export const updateOperation = (
  last: PlcOperation,
  change: Partial<PlcData>
): UnsignedOperation => {
  if (last.type === "plc_tombstone") throw new InvalidPlcOperation("the DID has a tombstone")
  return {
    type: "plc_operation",
    ...dataFields({ ...dataOf(last), ...change }),
    prev: cidOfOperation(last).toString()
  }
}

/** The operation that ends a DID. */
export const tombstoneOperation = (last: PlcOperation): UnsignedTombstone => ({
  type: "plc_tombstone",
  prev: cidOfOperation(last).toString()
})

/** The DID that a signed first operation creates. */
export const didOfGenesis = (operation: PlcOperation): string => {
  // The method's 24 characters of base32 are 15 bytes of the digest.
  const digest = sha256(signedBytes(operation)).subarray(0, 15)
  return `did:plc:${base32.baseEncode(digest)}`
}

/** The CID of a signed operation, for the next one's `prev`. */
export const cidOfOperation = (operation: PlcOperation): Cid => cidForCbor(signedBytes(operation))

/** The data that an operation sets; converts old `create` operations as the directory does. */
export const dataOf = (operation: PlcUpdate | Signed<UnsignedCreate>): PlcData => {
  if (operation.type === "plc_operation") return dataFields(operation)
  return {
    rotationKeys: [operation.recoveryKey, operation.signingKey],
    verificationMethods: { atproto: operation.signingKey },
    alsoKnownAs: [`at://${operation.handle.replace(/^(at|https?):\/\//, "")}`],
    services: {
      atproto_pds: {
        type: "AtprotoPersonalDataServer",
        endpoint: /^https?:\/\//.test(operation.service)
          ? operation.service
          : `https://${operation.service}`
      }
    }
  }
}

/** Which of these rotation keys signed an operation; undefined if none. */
export const signerOf = (
  operation: PlcOperation,
  rotationKeys: ReadonlyArray<string>
): string | undefined => {
  const signature = fromBase64Url(operation.sig)
  if (signature === undefined) return undefined
  const bytes = unsignedBytes(operation)
  return rotationKeys.find((key) => verifyBytes(key, bytes, signature))
}

const dataFields = ({
  rotationKeys,
  verificationMethods,
  alsoKnownAs,
  services
}: PlcData): PlcData => ({ rotationKeys, verificationMethods, alsoKnownAs, services })

type Plain = null | string | Array<Plain> | { [key: string]: Plain }

/** The same value in the codec's mutable type. */
const plain = (operation: Unsigned): { [key: string]: Plain } =>
  // SAFETY: operations hold only texts, null, lists and maps, and encoding doesn't modify them.
  operation as unknown as { [key: string]: Plain }
