import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { queryValue } from "../../../../core/lexicon/params.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { openArchive } from "../../../../services/backups/archive/archive.ts"
import { type ArchivePart, maxPartBlobs } from "../../../../services/backups/archive/calls.ts"
import { Config } from "../../../../services/host/Config.ts"
import { type Html, html } from "../../html.ts"
import { pageHeaders } from "../../layout.ts"
import { note } from "../../parts.ts"
import { type AccountPage, type Download, framed, hrefOf, pathOf } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { dayInWords } from "../words.ts"
import { archiveReadme, exporting as text, sizeInWords } from "../../text/data.ts"

const partHref = ({ several, account }: Owner, part: number, { after, blobs }: ArchivePart) =>
  pathOf("export/download", {
    account: several ? account.did : "",
    part: String(part),
    after: after ?? "",
    blobs: String(blobs)
  })

const partList = (owner: Owner, parts: ReadonlyArray<ArchivePart>): Html =>
  html`<ul class="list">
    ${parts.map(
      (part, at) =>
        html`<li>
          <a class="leads" href="${partHref(owner, at + 1, part)}"
            ><span class="grow"
              ><strong>${text.part(at + 1)}</strong
              ><small>${text.partBelow(at === 0, part.blobs, sizeInWords(part.bytes))}</small></span
            ></a
          >
        </li>`
    )}
  </ul>`

/** `/account/export`: the account as one archive, or in parts. */
export const exportPage: AccountPage = {
  proof: true,
  show: Effect.fn("account.export")(function* (owner) {
    const { did, handle, status } = owner.view
    const href = `/xrpc/com.atproto.sync.getRepo?${new URLSearchParams({ did })}`
    const parts = yield* (yield* Accounts).call(did, "archiveParts")
    const [first] = parts
    const isOne = first !== undefined && parts.length === 1
    const body = html`<p class="lead">${isOne ? text.lead : text.leadParts(parts.length)}</p>
      ${status !== undefined && note("warn", text.deactivated)}
      ${
        isOne
          ? html`<a class="button" href="${partHref(owner, 1, first)}"
              >${text.download(
                first.bytes === 0 ? text.records : `${sizeInWords(first.bytes)}, ${text.records}`
              )}</a
            >`
          : partList(owner, parts)
      }
      <p>${text.secret}</p>
      <p>${text.keyHint(hrefOf(owner, "keys"))}</p>
      ${
        status === undefined &&
        html`<h2>${text.repo}</h2>
          <p>${text.repoLead}</p>
          <a class="button quiet" href="${href}" download="${handle}.car">${text.downloadRepo}</a>`
      }`
    return framed(owner, { title: text.title, tab: "settings", body })
  })
}

const numberIn = (value: string | undefined, max: number): number | undefined =>
  value !== undefined && /^\d{1,6}$/.test(value) && Number(value) <= max ? Number(value) : undefined

/** `/account/export/download`: a part of the archive, as a file. */
export const downloadArchive: Download = {
  page: "export",
  proof: true,
  open: Effect.fn("account.downloadArchive")(function* (owner, query) {
    const { did } = owner.view
    const { publicUrl } = yield* Config
    const part = numberIn(queryValue(query, "part"), 999_999)
    const blobs = numberIn(queryValue(query, "blobs"), maxPartBlobs)
    const after = queryValue(query, "after")
    const isCursor = after === undefined || /^[13]:[a-z0-9]{1,128}$/.test(after)
    if (part === undefined || part === 0 || blobs === undefined || !isCursor) return undefined
    const now = yield* Clock.currentTimeMillis
    const day = dayInWords(now)
    const readme = (handle: string) => archiveReadme({ handle, did, server: publicUrl, day })
    const archive = yield* openArchive({ did, after, blobs, part, readme }, now)
    const end = after === undefined && part === 1 ? "" : `-part-${part}`
    const name = `${archive.handle}-${new Date(now).toISOString().slice(0, 10)}${end}.zip`
    return new Response(archive.body, {
      headers: {
        ...pageHeaders(yield* Config),
        "content-type": "application/zip",
        "content-length": String(archive.length),
        "content-disposition": `attachment; filename="${name}"`,
        "content-security-policy": "default-src 'none'; sandbox"
      }
    })
  })
}
