import type { Data } from "./cbor.ts"
import { Cid, InvalidCid, parseCid } from "./cid.ts"
import { maxDepth } from "./limits.ts"
import { isWellFormed } from "./writer.ts"

/** Thrown for JSON that does not represent a value of the data model. */
export class InvalidData extends Error {
  override readonly name = "InvalidData"
}

/**
 * Converts JSON to a value, `{"$link"}` to a CID and `{"$bytes"}` to bytes; throws InvalidData.
 *
 * `around` is how many levels of the surrounding message do not count towards the depth limit.
 */
export const fromJson = (value: unknown, around = 0): Data => read(value, -around)

/** Whether a value is an object rather than an array, bytes or a link. */
export const isMap = (data: Data | undefined): data is { [key: string]: Data } =>
  typeof data === "object" &&
  data !== null &&
  !Array.isArray(data) &&
  !(data instanceof Cid) &&
  !(data instanceof Uint8Array)

const read = (value: unknown, depth: number): Data => {
  switch (typeof value) {
    case "string":
      return readText(value)
    case "number":
      if (!Number.isSafeInteger(value)) throw new InvalidData("a number that is no safe integer")
      // JSON can express -0, CBOR integers cannot.
      return value + 0
    case "boolean":
      return value
    case "object":
      if (value === null) return null
      return Array.isArray(value) ? readArray(value, depth) : readObject(value, depth)
    default:
      throw new InvalidData(`a value of type ${typeof value}`)
  }
}

const readText = (text: string): string => {
  if (!isWellFormed(text)) throw new InvalidData("text with a lone surrogate")
  return text
}

const readArray = (values: ReadonlyArray<unknown>, depth: number): Data => {
  deeper(depth)
  const data: Array<Data> = []
  for (let i = 0; i < values.length; i++) data.push(read(values[i], depth + 1))
  return data
}

const readObject = (value: object, depth: number): Data => {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new InvalidData("an object that JSON cannot hold")
  }
  const keys = Object.keys(value)
  if (Object.hasOwn(value, "$link")) return readLink(value, keys)
  if (Object.hasOwn(value, "$bytes")) return readBytes(value, keys)
  deeper(depth)
  const data: { [key: string]: Data } = {}
  for (const key of keys) {
    setKey(data, readText(key), read((value as Record<string, unknown>)[key], depth + 1))
  }
  if (Object.hasOwn(data, "$type")) checkType(data)
  return data
}

/** Sets a key without calling a setter of the prototype. */
const setKey = <A>(target: Record<string, A>, key: string, value: A): void => {
  if (key !== "__proto__") {
    target[key] = value
    return
  }
  Object.defineProperty(target, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true
  })
}

const deeper = (depth: number): void => {
  if (depth >= maxDepth) throw new InvalidData(`nested deeper than ${maxDepth} levels`)
}

const readLink = (value: object, keys: ReadonlyArray<string>): Cid => {
  const link: unknown = "$link" in value ? value.$link : undefined
  if (keys.length !== 1 || typeof link !== "string") throw new InvalidData("a malformed $link")
  try {
    return parseCid(link)
  } catch (error) {
    if (error instanceof InvalidCid) throw new InvalidData("a $link that is no CID")
    throw error
  }
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/

const readBytes = (value: object, keys: ReadonlyArray<string>): Uint8Array => {
  const text: unknown = "$bytes" in value ? value.$bytes : undefined
  if (keys.length !== 1 || typeof text !== "string" || !base64.test(text)) {
    throw new InvalidData("a malformed $bytes")
  }
  const bare = text.replace(/=+$/, "")
  const padded = text.length !== bare.length
  if (bare.length % 4 === 1 || (padded && text.length % 4 !== 0)) {
    throw new InvalidData("a $bytes of impossible length")
  }
  // Ignores the bits after the last byte: the interop vectors list such a text as valid.
  const binary = atob(bare)
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}

const writeBase64 = (bytes: Uint8Array): string => {
  let binary = ""
  for (let at = 0; at < bytes.length; at += 0x2000) {
    const part = bytes.subarray(at, at + 0x2000)
    binary += String.fromCharCode.apply(null, part as unknown as number[])
  }
  return btoa(binary).replace(/=+$/, "")
}

const checkType = (data: { [key: string]: Data }): void => {
  const type = data.$type
  if (typeof type !== "string" || type === "") throw new InvalidData("a $type that names nothing")
  if (type === "blob" && !isBlob(data)) throw new InvalidData("a malformed blob")
}

// Accepts any codec in `ref`, as the interop vectors require; whether the blob exists is checked
// later.
const isBlob = (data: { [key: string]: Data }): boolean =>
  Object.keys(data).length === 4 &&
  data.ref instanceof Cid &&
  typeof data.mimeType === "string" &&
  data.mimeType.includes("/") &&
  typeof data.size === "number" &&
  data.size >= 0

/** Converts a value to its JSON form, for JSON.stringify. */
export const toJson = (value: Data): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (value instanceof Cid) return { $link: value.toString() }
  if (value instanceof Uint8Array) return { $bytes: writeBase64(value) }
  if (Array.isArray(value)) return value.map(toJson)
  const json: Record<string, unknown> = {}
  for (const key of Object.keys(value)) setKey(json, key, toJson(value[key]!))
  return json
}
