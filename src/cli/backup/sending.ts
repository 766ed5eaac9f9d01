import { openAsBlob } from "node:fs"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CidText, Cursor, Words } from "../answers.ts"
import { Failed } from "../failure.ts"
import { procedure, query, type Remote, upload } from "../xrpc.ts"

/** A file to be sent: it is read as it goes. */
const opened = (file: string) =>
  Effect.tryPromise({
    try: () => openAsBlob(file),
    catch: () => new Failed({ message: `${file} cannot be read` })
  })

/** Puts a repo's CAR in the place of what the account has. */
export const sendRepo = Effect.fn("cli.sendRepo")(function* (remote: Remote, file: string) {
  const body = yield* opened(file)
  yield* upload(remote, "com.atproto.repo.importRepo", Schema.Unknown, {
    body,
    contentType: "application/vnd.ipld.car"
  })
})

const Uploaded = Schema.Struct({
  blob: Schema.Struct({ ref: Schema.Struct({ $link: CidText }) })
})

/** Uploads a blob from its file; the server must come to the same CID. */
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
    return yield* new Failed({ message: `${file} is not the blob ${cid}: its bytes are others` })
  }
})

const Missing = Schema.Struct({
  cursor: Schema.optionalKey(Cursor),
  blobs: Schema.Array(Schema.Struct({ cid: Words }))
})

/** The blobs that records refer to and that the server does not have, as it names them: old records may hold anything. */
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

/** The account's preferences, whatever they are. */
export const getPreferences = (remote: Remote) =>
  query(remote, "app.bsky.actor.getPreferences", Preferences)

/** Puts preferences in the place of those that the account has. */
export const putPreferences = (remote: Remote, value: typeof Preferences.Type) =>
  procedure(remote, "app.bsky.actor.putPreferences", Schema.Unknown, value)

/** Reads preferences from the text of their file. */
export const preferencesFrom = (text: string) =>
  Effect.mapError(
    Schema.decodeEffect(Schema.fromJsonString(Preferences))(text),
    () => new Failed({ message: "preferences.json is not of an export" })
  )
