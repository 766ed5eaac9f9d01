/** A served blob, as far as its headers describe it. */
export interface ServedBlob {
  readonly cid: string
  readonly mimeType: string
  readonly size: number
}

/** A blob's entity tag: the content under a CID never changes. */
export const etagOf = (cid: string): string => `"${cid}"`

/**
 * Anyone may store it but must revalidate before each use.
 *
 * The bytes never change but may be taken down, after which no cache may show them again.
 */
const asked = "public, max-age=0, must-revalidate"

/**
 * The headers of every response with a blob.
 *
 * The type is the uploader's claim, so browsers may not run, frame or sniff it on this server's
 * origin. `shared` is false for a response that depended on one caller's credentials.
 */
export const blobHeaders = (blob: ServedBlob, shared: boolean): Record<string, string> => ({
  "content-type": blob.mimeType,
  "content-security-policy": "default-src 'none'; sandbox",
  "content-disposition": `attachment; filename="${blob.cid}"`,
  "x-content-type-options": "nosniff",
  "accept-ranges": "bytes",
  etag: etagOf(blob.cid),
  ...(shared ? { "cache-control": asked } : { "cache-control": "private", vary: "Authorization" })
})

/** The Content-Range of a part, or without a part, of an unsatisfiable range. */
export const contentRange = (
  size: number,
  part?: { readonly offset: number; readonly length: number }
): string =>
  part === undefined
    ? `bytes */${size}`
    : `bytes ${part.offset}-${part.offset + part.length - 1}/${size}`

/** Whether If-None-Match names this tag, i.e. the caller already has the body. */
export const notModified = (ifNoneMatch: string | null, etag: string): boolean =>
  ifNoneMatch !== null &&
  ifNoneMatch
    .split(",")
    .map((tag) => tag.trim())
    .some((tag) => tag === "*" || tag === etag || tag === `W/${etag}`)

/** Whether to honour a Range header: If-Range is missing or names this tag. */
export const rangeCounts = (ifRange: string | null, etag: string): boolean =>
  ifRange === null || ifRange.trim() === etag
