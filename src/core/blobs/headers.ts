/** What the headers of a served blob tell. */
export interface ServedBlob {
  readonly cid: string
  readonly mimeType: string
  readonly size: number
}

/** A blob's entity tag: content never changes under its CID. */
export const etagOf = (cid: string): string => `"${cid}"`

/**
 * Everybody may keep it, and asks each time if they still may show it.
 *
 * The bytes never change, but may be taken back: then no cache between here and the reader shows them once more.
 */
const asked = "public, max-age=0, must-revalidate"

/**
 * The headers that every answer with a blob carries.
 *
 * The type is the uploader's word: nothing may be run, framed or guessed from it on this server's origin.
 * `shared` is false for an answer that was given to one caller's credentials.
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

/** The Content-Range of a part, or (no part) of a range that lies outside. */
export const contentRange = (
  size: number,
  part?: { readonly offset: number; readonly length: number }
): string =>
  part === undefined
    ? `bytes */${size}`
    : `bytes ${part.offset}-${part.offset + part.length - 1}/${size}`

/** Whether If-None-Match names this tag, so that the caller has the body already. */
export const notModified = (ifNoneMatch: string | null, etag: string): boolean =>
  ifNoneMatch !== null &&
  ifNoneMatch
    .split(",")
    .map((tag) => tag.trim())
    .some((tag) => tag === "*" || tag === etag || tag === `W/${etag}`)

/** Whether a Range header counts: If-Range is absent or names this very tag. */
export const rangeCounts = (ifRange: string | null, etag: string): boolean =>
  ifRange === null || ifRange.trim() === etag
