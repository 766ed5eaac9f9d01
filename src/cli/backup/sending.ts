import { openAsBlob } from "node:fs"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { CidText, Cursor, Words } from "../answers.ts"
import { Failed } from "../failure.ts"
import { note } from "../output.ts"
import { procedure, query, type Remote, upload } from "../xrpc.ts"

/** A file as a Blob, to be streamed. */
const opened = (file: string) =>
  Effect.tryPromise({
    try: () => openAsBlob(file),
    catch: () => new Failed({ message: `Couldn't read ${file}` })
  })

/** Nacre's response, with the invalid records that it kept unchanged; other servers return none. */
const Imported = Schema.UndefinedOr(
  Schema.Struct({
    keptAsTheyCame: Schema.optionalKey(Schema.Int),
    records: Schema.optionalKey(Schema.Array(Schema.Struct({ uri: Words, reason: Words })))
  })
)

/** How many records the command lists. */
const maxListed = 20

/**
 * Replaces the account's repo with a CAR, and lists the invalid records that the server kept
 * unchanged.
 */
export const sendCar = Effect.fn("cli.sendCar")(function* (remote: Remote, body: Blob) {
  const answer = yield* upload(remote, "com.atproto.repo.importRepo", Schema.Unknown, {
    body,
    contentType: "application/vnd.ipld.car"
  })
  const imported = Schema.decodeUnknownOption(Imported)(answer)
  const { keptAsTheyCame = 0, records = [] } = Option.getOrUndefined(imported) ?? {}
  if (keptAsTheyCame === 0) return
  const listed = records.slice(0, maxListed).map(({ uri, reason }) => `  ${uri}: ${reason}`)
  const more = keptAsTheyCame - listed.length
  yield* note(
    [
      `${keptAsTheyCame} old records were imported unchanged, although today's rules would reject them:`,
      ...listed,
      ...(more > 0 ? [`  … and ${more} more`] : [])
    ].join("\n")
  )
})

/** Sends a repo from a file. */
export const sendRepo = Effect.fn("cli.sendRepo")(function* (remote: Remote, file: string) {
  yield* sendCar(remote, yield* opened(file))
})

const Uploaded = Schema.Struct({
  blob: Schema.Struct({ ref: Schema.Struct({ $link: CidText }) })
})

/** Uploads a blob from its file; fails unless the server computes the same CID. */
export const sendBlob = Effect.fn("cli.sendBlob")(function* (
  remote: Remote,
  {
    cid,
    file,
    contentType
  }: {
    readonly cid: CidText
    readonly file: string
    readonly contentType: string
  }
) {
  const body = yield* opened(file)
  const { blob } = yield* upload(remote, "com.atproto.repo.uploadBlob", Uploaded, {
    body,
    contentType
  })
  if (blob.ref.$link !== cid) {
    return yield* new Failed({ message: `${file} isn't blob ${cid}: the bytes don't match` })
  }
})

const Missing = Schema.Struct({
  cursor: Schema.optionalKey(Cursor),
  blobs: Schema.Array(Schema.Struct({ cid: Words }))
})

/**
 * The referenced blobs that the server reports as missing, unparsed: old records may contain
 * anything.
 */
export const listMissingBlobs = Effect.fn("cli.listMissingBlobs")(function* (remote: Remote) {
  const cids = new Set<string>()
  let cursor: string | undefined
  do {
    const page: typeof Missing.Type = yield* query(
      remote,
      "com.atproto.repo.listMissingBlobs",
      Missing,
      { limit: 500, cursor }
    )
    for (const { cid } of page.blobs) cids.add(cid)
    cursor = page.cursor
  } while (cursor !== undefined)
  return [...cids]
})

const Preferences = Schema.Struct({ preferences: Schema.Array(Schema.Unknown) })

/** The account's preferences, unparsed. */
export const getPreferences = (remote: Remote) =>
  query(remote, "app.bsky.actor.getPreferences", Preferences)

/** Preferences as text, without the one that servers compute. */
const textOf = ({ preferences }: typeof Preferences.Type): string =>
  preferences
    .map((one) => JSON.stringify(one))
    .filter((text) => !text.includes("#declaredAgePref"))
    .toSorted()
    .join("\n")

/** Whether an account has these preferences. */
export const hasPreferences = (remote: Remote, value: typeof Preferences.Type) =>
  Effect.map(getPreferences(remote), (found) => textOf(found) === textOf(value))

/** Replaces the account's preferences, and checks the result. */
export const putPreferences = Effect.fn("cli.putPreferences")(function* (
  remote: Remote,
  value: typeof Preferences.Type
) {
  yield* procedure(remote, "app.bsky.actor.putPreferences", Schema.Unknown, value)
  if (yield* hasPreferences(remote, value)) return
  return yield* new Failed({
    message: `${remote.server} accepted the preferences, but now returns different ones`,
    next: "Run the command again."
  })
})

/** Parses the text of a preferences file. */
export const preferencesFrom = (text: string) =>
  Effect.mapError(
    Schema.decodeEffect(Schema.fromJsonString(Preferences))(text),
    () => new Failed({ message: "preferences.json isn't a preferences file of an export" })
  )
