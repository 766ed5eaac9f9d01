import * as Effect from "effect/Effect"
import { blobFileName } from "../../../../core/blobs/fileName.ts"
import { queryValue } from "../../../../core/lexicon/params.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { BlobStore } from "../../../../services/blobs/BlobStore.ts"
import { Config } from "../../../../services/host/Config.ts"
import { sized } from "../../../../services/host/sizedStream.ts"
import { type Html, html } from "../../html.ts"
import { pageHeaders } from "../../layout.ts"
import type { Download } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { dataHref } from "./links.ts"

/** The types that browsers show without running anything in them. */
const pictures = new Set(["image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"])

/** The largest picture that pages show, in bytes. */
export const previewLimit = 5_000_000

/** Whether pages show a file. */
export const isShown = ({
  mimeType,
  size = 0
}: {
  readonly mimeType: string
  readonly size?: number
}): boolean => pictures.has(mimeType) && size <= previewLimit

/** A picture, or the type of a file that isn't shown. */
export const preview = (
  owner: Owner,
  blob: {
    readonly cid: string
    readonly mimeType: string
    readonly size?: number
    readonly alt: string
  }
): Html =>
  isShown(blob)
    ? html`<img
        class="preview"
        src="${dataHref(owner, "data/blob", { cid: blob.cid })}"
        alt="${blob.alt}"
        loading="lazy"
      />`
    : html`<span class="preview">${blob.mimeType}</span>`

/** `/account/data/blob`: a file of the account's owner; only pictures open in the browser. */
export const downloadBlob: Download = {
  page: "data/files",
  isPicture: true,
  open: Effect.fn("account.downloadBlob")(function* (owner, query) {
    const { did } = owner.view
    const blob = yield* (yield* Accounts).call(did, "ownBlob", queryValue(query, "cid") ?? "")
    if (blob === undefined || blob.isTakenDown) return undefined
    const stored = yield* (yield* BlobStore).get(blob.key)
    if (stored === undefined) return undefined
    const shown = isShown(blob)
    const how = shown ? "inline" : "attachment"
    return new Response(sized(stored.body, blob.size), {
      headers: {
        ...pageHeaders(yield* Config),
        "content-type": shown ? blob.mimeType : "application/octet-stream",
        "content-length": String(blob.size),
        "content-disposition": `${how}; filename="${blobFileName(blob)}"`,
        "content-security-policy": "default-src 'none'; sandbox"
      }
    })
  })
}
