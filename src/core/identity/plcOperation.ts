import { base32 } from "multiformats/bases/base32"
import { type Cid, cidForCbor, sha256 } from "../repo/cid.ts"
import { encode } from "../repo/cbor.ts"
import { fromBase64Url, toBase64Url } from "../bytes/base64url.ts"
import { verifyBytes } from "./didKey.ts"

/** A service of a DID, as the PLC directory holds it. */
export interface PlcService {
  readonly type: string
  readonly endpoint: string
}

/** What an operation sets for its DID. */
export interface PlcData {
  /** did:key of those who may change the DID, the mightiest first. */
  readonly rotationKeys: ReadonlyArray<string>
  readonly verificationMethods: Readonly<Record<string, string>>
  readonly alsoKnownAs: ReadonlyArray<string>
  readonly services: Readonly<Record<string, PlcService>>
}

/** The operation of today, before it is signed; `prev` is null for the one that makes the DID. */
export interface UnsignedOperation extends PlcData {
  readonly type: "plc_operation"
  readonly prev: string | null
}

/** The end of a DID, before it is signed. */
export interface UnsignedTombstone {
  readonly type: "plc_tombstone"
  readonly prev: string
}

/** The first operation of DIDs made before 2023, before it was signed. */
export interface UnsignedCreate {
  readonly type: "create"
  readonly signingKey: string
  readonly recoveryKey: string
  readonly handle: string
  readonly service: string
  readonly prev: null
}

/** An operation of any kind before it is signed. */
export type Unsigned = UnsignedOperation | UnsignedTombstone | UnsignedCreate

/** An operation with its signature: base64url, 64 bytes, low S. */
export type Signed<A extends Unsigned> = A & { readonly sig: string }

/** A signed operation of today. */
export type PlcUpdate = Signed<UnsignedOperation>

/** A signed operation of any kind. */
export type PlcOperation = PlcUpdate | Signed<UnsignedTombstone> | Signed<UnsignedCreate>

/** An operation that the directory must refuse. */
export class InvalidPlcOperation extends Error {
  override readonly name = "InvalidPlcOperation"
}

/** The largest operation that the directory takes, in bytes of DAG-CBOR. */
export const maxOperationBytes = 4000

/** The bytes that are signed: DAG-CBOR of the operation without its signature. */
export const unsignedBytes = (operation: Unsigned): Uint8Array => {
  const { sig: _, ...unsigned } = operation as Unsigned & { readonly sig?: string }
  return encode(plain(unsigned as Unsigned))
}

/** The bytes that DID and CID are made of: DAG-CBOR of the operation with its signature. */
export const signedBytes = (operation: PlcOperation): Uint8Array => encode(plain(operation))

/** Puts a signature on an operation. */
export const withSignature = <A extends Unsigned>(
  operation: A,
  signature: Uint8Array
): Signed<A> => ({ ...operation, sig: toBase64Url(signature) })

/** The operation that makes a DID. */
export const genesisOperation = (data: PlcData): UnsignedOperation => ({
  type: "plc_operation",
  ...dataFields(data),
  prev: null
})

/** The operation that follows another: what `change` leaves out stays as it was. */
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

/** The DID that a signed first operation makes. */
export const didOfGenesis = (operation: PlcOperation): string => {
  // 15 bytes of the digest are the 24 characters of base32 that the method asks for.
  const digest = sha256(signedBytes(operation)).subarray(0, 15)
  return `did:plc:${base32.baseEncode(digest)}`
}

/** The CID of a signed operation: what the next one's `prev` names. */
export const cidOfOperation = (operation: PlcOperation): Cid => cidForCbor(signedBytes(operation))

/** What an operation sets; old `create` operations are read as the directory reads them. */
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

/** The rotation key that signed an operation, or undefined where it is none of these. */
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

/** The same value in the mutable type that the codec takes. */
const plain = (operation: Unsigned): { [key: string]: Plain } =>
  // SAFETY: operations hold only texts, null, lists and maps, and encoding does not write to them.
  operation as unknown as { [key: string]: Plain }
