import type { AppBskyActorPutPreferences as PutPreferences } from "@atproto/api"
import * as Effect from "effect/Effect"
import { commitAtStart } from "../../../../core/repo/carCommit.ts"
import type { Data } from "../../../../core/repo/cbor.ts"
import { toJson } from "../../../../core/repo/json.ts"
import { queryValue } from "../../../../core/lexicon/params.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import type { Preference } from "../../../../services/accounts/Preferences.ts"
import { Config } from "../../../../services/host/Config.ts"
import { Devices } from "../../../../services/oauth/Devices.ts"
import { ImportRefused } from "../../../../services/repo/RepoImport.ts"
import { importBlob } from "../../../blobs/upload.ts"
import { noteAccount } from "../../../CurrentRequest.ts"
import { type Failure, wireError } from "../../../errors.ts"
import { readBody, readInput } from "../../../input.ts"
import { importArchive } from "../../../repo/importRepo.ts"
import { jsonType } from "../../../responses.ts"
import { BrowserRefused } from "../../browser.ts"
import { pageHeaders } from "../../layout.ts"
import { archiveImportRefusals as text } from "../../text/archiveImport.ts"
import { sentenceOf } from "../../text/refusals.ts"
import { sentByScript } from "../../visitor.ts"

/** The most bytes of a CAR's beginning: its header and its first block, the commit. */
const headBytes = 4096

const assertSignedIn = Effect.fnUntraced(function* (device: string, did: string) {
  const account = yield* (yield* Devices).account(device, did)
  if (account === undefined) return yield* new BrowserRefused({ reason: "no cookie" })
})

/** The account that the ticket of the page's script names, while it is signed in on its device. */
const accountOf = Effect.fnUntraced(function* (request: Request) {
  const { device, claims } = yield* sentByScript(request, "import")
  const did = typeof claims["did"] === "string" ? claims["did"] : ""
  const signedIn = assertSignedIn(device.id, did)
  yield* signedIn
  yield* noteAccount(did)
  return { did, signedIn }
})

interface Asked {
  readonly did: string
  readonly request: Request
  readonly query: URLSearchParams
  /** Fails unless the account is still signed in: the body may have taken long. */
  readonly signedIn: ReturnType<typeof assertSignedIn>
}

/** What is here, for the beginning of the archive's CAR; an empty body asks without one. */
const state = Effect.fnUntraced(function* ({ did, request }: Asked) {
  const commit = commitAtStart(yield* readBody(request, headBytes))
  if (commit !== undefined && commit.did !== did) {
    return yield* new ImportRefused({ reason: `the commit is of ${commit.did}, not of ${did}` })
  }
  const root = commit === undefined ? {} : { root: commit.data.toString() }
  return yield* (yield* Accounts).call(did, "archiveState", root)
})

const records = ({ did, request, query, signedIn }: Asked) =>
  importArchive(did, request, queryValue(query, "replace") === "yes", signedIn)

const missing = Effect.fnUntraced(function* ({ did, query }: Asked) {
  const cursor = queryValue(query, "cursor")
  return yield* (yield* Accounts).call(did, "archiveBlobs", cursor === undefined ? {} : { cursor })
})

const blob = ({ did, request, query }: Asked) =>
  Effect.as(importBlob(did, queryValue(query, "cid") ?? "", request), {})

const preferences = Effect.fnUntraced(function* ({ did, request, signedIn }: Asked) {
  const { jsonLimit: limit } = yield* Config
  const nsid = "app.bsky.actor.putPreferences"
  // SAFETY: the lexicon has checked the input.
  const input = (yield* readInput(request, { nsid, limit, typedNames: [] })) as
    | PutPreferences.InputSchema
    | undefined
  yield* signedIn
  // SAFETY: the input is in the data model, and the JSON has the same shape.
  const given = toJson((input?.preferences ?? []) as Data) as ReadonlyArray<Preference>
  yield* (yield* Accounts).call(did, "putArchivePreferences", { preferences: given })
  return {}
})

/** What the script asks for, by the rest of the path. */
const calls = { state, records, missing, blob, preferences }

type CallName = keyof typeof calls

const isCallName = (name: string): name is CallName => Object.hasOwn(calls, name)

/** What the page says about a refused call. */
const sentences: Readonly<Partial<Record<Failure["_tag"], string>>> = {
  PayloadTooLarge: text.tooLarge,
  BlobTooLarge: text.tooLarge,
  BlobQuotaExceeded: text.quota,
  StatusRefused: text.notWaiting
}

/** The refusals that every further call would get, too. */
const endings: ReadonlySet<string> = new Set<Failure["_tag"]>([
  "BlobQuotaExceeded",
  "StatusRefused"
])

/** What it says about any other refusal, by the call. */
const byCall: Readonly<Partial<Record<CallName, string>>> = {
  state: text.another,
  records: text.records,
  blob: text.blob,
  preferences: text.preferences
}

const answerOf = (status: number, body: object, headers: Record<string, string> = {}) =>
  Effect.map(
    Config,
    (config) =>
      new Response(JSON.stringify(body), {
        status,
        headers: { ...pageHeaders(config), ...headers, "content-type": jsonType }
      })
  )

/**
 * `POST /account/import/…`: a request of the import page's script, which carries the page's ticket.
 * Each answers in JSON; a refusal has the sentence that the page shows.
 */
export const answerImport = Effect.fn("account.importCall")(function* (
  request: Request,
  url: URL,
  name: string
) {
  if (!isCallName(name)) return undefined
  const answered = Effect.gen(function* () {
    const account = yield* accountOf(request)
    return yield* calls[name]({ ...account, request, query: url.searchParams })
  })
  return yield* answered.pipe(
    Effect.flatMap((body) => answerOf(200, body)),
    Effect.catchTags({
      BrowserRefused: ({ reason }) => answerOf(403, { reason }),
      OAuthStoreUnavailable: () => answerOf(503, {})
    }),
    Effect.catch((failure) => {
      const { status, headers } = wireError(failure)
      const ends = endings.has(failure._tag)
      const message = sentences[failure._tag] ?? byCall[name] ?? sentenceOf(failure)
      return Effect.andThen(
        Effect.logInfo("an archive was refused", failure),
        answerOf(status, { message, ends }, headers)
      )
    })
  )
})
