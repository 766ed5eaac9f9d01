import { createHash } from "node:crypto"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { cidFromDigest, raw } from "../../core/repo/cid.ts"
import { type CidText, Cursor, Words } from "../answers.ts"
import { Damaged, Failed, Unreachable } from "../failure.ts"
import { patiently } from "../patience.ts"
import { printable } from "../printable.ts"
import type { Progress } from "../progress.ts"
import { download, query, type Remote } from "../xrpc.ts"
import { readWholeRepo } from "./wholeRepo.ts"

/** Where a file comes from, if not from the account's own methods. */
interface Source {
  readonly nsid: string
  readonly params: { readonly [name: string]: string }
  /** The CID of the file's bytes (raw, SHA-256), if it is known. */
  readonly digest?: string
}

/** How many times a damaged file is fetched again. */
const again = { times: 2, while: (error: unknown) => error instanceof Damaged }

/** Streams a response into a file, renamed into place when complete; starts again after an interruption or an invalid file. */
const into = Effect.fnUntraced(function* <A>(
  remote: Remote,
  nsid: string,
  params: { readonly [name: string]: string },
  {
    file,
    watch,
    accept,
    idle = Infinity
  }: {
    readonly file: string
    /** Observes the bytes of one attempt. */
    readonly watch: () => (bytes: Uint8Array) => Effect.Effect<void>
    /** Checks the file before it is renamed into place. */
    readonly accept: (part: string) => Effect.Effect<A, Failed | Damaged, FileSystem.FileSystem>
    /** How long the server may send nothing. */
    readonly idle?: Duration.Input
  }
) {
  const files = yield* FileSystem.FileSystem
  const part = `${file}.part`
  const broken = (error: { readonly message: string }) =>
    new Failed({ message: `Couldn't write ${file}: ${error.message}` })
  const silent = new Unreachable({ server: remote.server, why: `it doesn't send ${nsid}` })
  const once = Effect.gen(function* () {
    const { body, contentType, reason } = yield* Effect.timeoutOrElse(
      download(remote, nsid, params),
      { duration: idle, orElse: () => Effect.fail(silent) }
    )
    yield* body.pipe(
      Stream.mapError(reason),
      Stream.timeoutOrElse({ duration: idle, orElse: () => Stream.fail(silent) }),
      Stream.tap(watch()),
      Stream.run(files.sink(part, { mode: 0o600 })),
      Effect.mapError((error) => (error instanceof Unreachable ? error : broken(error)))
    )
    return contentType
  })
  const fetched = Effect.gen(function* () {
    const contentType = yield* patiently(once)
    return { contentType, accepted: yield* accept(part) }
  })
  const whole = Effect.gen(function* () {
    const found = yield* Effect.retry(fetched, again)
    yield* Effect.mapError(files.rename(part, file), broken)
    return found
  })
  // The next attempt starts from the beginning, so a rejected file is useless.
  return yield* Effect.onExit(whole, (exit) =>
    exit._tag === "Success" ? Effect.void : Effect.ignore(files.remove(part))
  )
})

/** Fetches a blob into a file; fails unless its bytes match the CID. */
export const fetchBlob = Effect.fn("cli.fetchBlob")(function* (
  remote: Remote,
  { did, cid, file }: { readonly did: string; readonly cid: CidText; readonly file: string },
  progress: Progress,
  { nsid, params }: Source = { nsid: "com.atproto.sync.getBlob", params: { did, cid } }
) {
  let hash = createHash("sha256")
  return yield* into(remote, nsid, params, {
    file,
    idle: "1 minute",
    watch: () => {
      hash = createHash("sha256")
      return (bytes) =>
        Effect.suspend(() => {
          hash.update(bytes)
          return progress.pass(bytes.length)
        })
    },
    accept: () =>
      Effect.suspend(() => {
        const got = String(cidFromDigest(raw, hash.digest()))
        return got === cid
          ? Effect.void
          : Effect.fail(
              new Damaged({
                server: remote.server,
                what: `blob ${cid}`,
                why: "the bytes don't match its CID"
              })
            )
      })
  })
})

/** Whether a file contains the blob of this CID. */
export const holdsBlob = Effect.fnUntraced(function* (file: string, cid: CidText) {
  const files = yield* FileSystem.FileSystem
  const hash = createHash("sha256")
  return yield* files.stream(file, { chunkSize: 0x10_0000 }).pipe(
    Stream.runForEach((bytes) => Effect.sync(() => void hash.update(bytes))),
    Effect.map(() => String(cidFromDigest(raw, hash.digest())) === cid),
    Effect.orElseSucceed(() => false)
  )
})

/**
 * Checks that a CAR contains a whole repo, and the given account's if a DID is given; fails if a
 * block is missing.
 */
export const checkCar = Effect.fn("cli.checkCar")(function* (file: string, did?: string) {
  const wrong = (why: string) =>
    new Failed({
      message: `${file} isn't a complete repo${did === undefined ? "" : ` of ${did}`}: ${printable(why)}`
    })
  const repo = yield* Effect.mapError(readWholeRepo(file), ({ message }) => wrong(message))
  const owner = repo.commit.did
  return did === undefined || owner === did
    ? repo
    : yield* wrong(`it belongs to ${printable(owner)}`)
})

/** Fetches the whole repo into a file; fails if a block is missing, or the digest is another. */
export const fetchRepo = Effect.fn("cli.fetchRepo")(function* (
  remote: Remote,
  did: string,
  file: string,
  progress: Progress,
  { nsid, params, digest }: Source = { nsid: "com.atproto.sync.getRepo", params: { did } }
) {
  const damaged = (why: string) => new Damaged({ server: remote.server, what: "the repo", why })
  let hash = createHash("sha256")
  const { accepted } = yield* into(remote, nsid, params, {
    file,
    watch: () => {
      hash = createHash("sha256")
      return (bytes) =>
        Effect.suspend(() => {
          if (digest !== undefined) hash.update(bytes)
          return progress.pass(bytes.length)
        })
    },
    accept: (part) =>
      digest !== undefined && String(cidFromDigest(raw, hash.digest())) !== digest
        ? Effect.fail(damaged("it isn't the one that was backed up"))
        : Effect.mapError(checkCar(part, did), ({ message }) => damaged(message))
  })
  return accepted
})

const Cids = Schema.Struct({
  cursor: Schema.optionalKey(Cursor),
  cids: Schema.Array(Words)
})

/** Lists every stored blob that the account's records reference. */
export const listBlobs = Effect.fn("cli.listBlobs")(function* (remote: Remote, did: string) {
  const cids: Array<string> = []
  let cursor: string | undefined
  do {
    const page: typeof Cids.Type = yield* query(remote, "com.atproto.sync.listBlobs", Cids, {
      did,
      limit: 500,
      cursor
    })
    cids.push(...page.cids)
    cursor = page.cursor
  } while (cursor !== undefined)
  return cids
})
