import { createHash } from "node:crypto"
import { notModified } from "../core/blobs/headers.ts"

/** What everybody is told alike, and what only a deployment changes: a few minutes old is new enough. */
export const briefly = "public, max-age=300"

/** What may be otherwise the next moment: whoever keeps it asks each time whether it still holds. */
export const askedAnew = "public, max-age=0, must-revalidate"

/** An answer for everybody under a version of its own; whoever has this version gets no body. */
export const versioned = (
  request: Request,
  body: string,
  headers: { readonly "content-type": string; readonly "cache-control": string }
): Response => {
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`
  return notModified(request.headers.get("if-none-match"), etag)
    ? new Response(null, {
        status: 304,
        headers: { etag, "cache-control": headers["cache-control"] }
      })
    : new Response(body, { headers: { ...headers, etag } })
}
