import { Cid } from "../repo/cid.ts"
import { isPlainObject } from "./objects.ts"
import type { BlobSchema } from "./schema.ts"
import { isCid } from "./syntax.ts"

/** A blob reference in a record. */
export interface BlobRef {
  readonly cid: Cid
  readonly mimeType: string
  /** In bytes. */
  readonly size: number
}

/** Reads a value as a blob reference; undefined if it isn't one. */
export const asBlob = (value: unknown): BlobRef | undefined => {
  if (!isPlainObject(value) || value["$type"] !== "blob") return undefined
  const { ref, mimeType, size } = value
  if (!(ref instanceof Cid)) return undefined
  if (typeof mimeType !== "string" || !mimeType.includes("/")) return undefined
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return undefined
  return { cid: ref, mimeType, size }
}

/** Whether an accept pattern matches a MIME type: exact, with `*` as subtype, or `*` `/*`. */
export const accepts = (pattern: string, mimeType: string): boolean => {
  if (pattern === "*/*") return true
  // Parameters (`; charset=…`) and case don't matter.
  const type = mimeType.split(";", 1)[0]?.trim().toLowerCase() ?? ""
  const wanted = pattern.toLowerCase()
  return wanted.endsWith("/*") ? type.startsWith(wanted.slice(0, -1)) : type === wanted
}

/** Returns why a blob violates its lexicon's constraints; undefined if it fits. */
export const blobFits = (blob: BlobRef, { accept, maxSize }: BlobSchema): string | undefined => {
  if (accept !== undefined && !accept.some((pattern) => accepts(pattern, blob.mimeType))) {
    return `must be a blob of type ${accept.join(", ")}, not ${blob.mimeType}`
  }
  if (maxSize !== undefined && blob.size > maxSize) {
    return `must not be a blob larger than ${maxSize} bytes`
  }
  return undefined
}

/** Whether a value is a blob reference in the form before `$type`: `{cid, mimeType}`. */
export const isLegacyBlob = (value: unknown): boolean => {
  if (!isPlainObject(value)) return false
  const { cid, mimeType } = value
  if (typeof cid !== "string" || typeof mimeType !== "string" || mimeType === "") return false
  return Object.keys(value).length === 2 && isCid(cid)
}

/** The path from a record's root to a value inside it. */
export type Steps = ReadonlyArray<string | number>

/** Visits every object of a value, outermost first, with its path. */
const visitObjects = (
  root: unknown,
  visit: (object: Readonly<Record<string, unknown>>, steps: Steps) => void
): void => {
  const steps: Array<string | number> = []
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) step(i, value[i])
    } else if (isPlainObject(value)) {
      visit(value, steps)
      for (const key in value) step(key, value[key])
    }
  }
  const step = (key: string | number, value: unknown): void => {
    if (typeof value !== "object") return
    steps.push(key)
    walk(value)
    steps.pop()
  }
  walk(root)
}

/** Every blob at any depth of a value. */
export const findBlobs = (value: unknown): Array<BlobRef & { readonly steps: Steps }> => {
  const found: Array<BlobRef & { readonly steps: Steps }> = []
  visitObjects(value, (object, steps) => {
    const blob = asBlob(object)
    if (blob !== undefined) found.push({ ...blob, steps: [...steps] })
  })
  return found
}

/** A path as text: `embed.images[0].image`. */
export const stepsText = (steps: Steps): string =>
  steps
    .map((step, i) => (typeof step === "number" ? `[${step}]` : i === 0 ? step : `.${step}`))
    .join("")

/** The paths of legacy blob references, which may no longer be written. */
export const findLegacyBlobs = (value: unknown): Array<string> => {
  const found: Array<string> = []
  visitObjects(value, (object, steps) => {
    if (isLegacyBlob(object)) found.push(stepsText(steps))
  })
  return found
}

/** The MIME type in a value's reference to a blob, in the current or the legacy form. */
export const blobTypeIn = (value: unknown, cid: string): string | undefined => {
  let found: string | undefined
  visitObjects(value, (object) => {
    const blob = asBlob(object)
    if (blob?.cid.toString() === cid) found ??= blob.mimeType
    else if (isLegacyBlob(object) && object["cid"] === cid) found ??= object["mimeType"] as string
  })
  return found
}

/**
 * The CIDs of all blobs that a value references, in the current or the legacy form, which an
 * imported repo may contain.
 */
export const blobCids = (value: unknown): Set<string> => {
  const found = new Set<string>()
  visitObjects(value, (object) => {
    const blob = asBlob(object)
    if (blob !== undefined) found.add(blob.cid.toString())
    else if (isLegacyBlob(object)) found.add(object["cid"] as string)
  })
  return found
}
