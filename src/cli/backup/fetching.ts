import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { readCar } from "../../repo/car.ts"
import { cidFromDigest, raw } from "../../repo/cid.ts"
import { decodeForeignCommit } from "../../repo/commit.ts"
import { type CidText, Cursor, Words } from "../answers.ts"
import { Damaged, Failed, Unreachable } from "../failure.ts"
import { patiently } from "../patience.ts"
import type { Progress } from "../progress.ts"
import { download, query, type Remote } from "../xrpc.ts"

/** Streams an answer into a file, which has its name only once it is whole; one that breaks off begins anew. */
const into = Effect.fnUntraced(function* (
  remote: Remote,
  nsid: string,
  params: { readonly [name: string]: string },
  {
    file,
    watch,
    accept
  }: {
    readonly file: string
    /** Sees the bytes of one try pass. */
    readonly watch: () => (bytes: Uint8Array) => Effect.Effect<void>
    /** Looks at the file before it gets its name. */
    readonly accept: (part: string) => Effect.Effect<void, Failed | Damaged, FileSystem.FileSystem>
  }
) {
  const files = yield* FileSystem.FileSystem
  const part = `${file}.part`
  const broken = (error: { readonly message: string }) =>
    new Failed({ message: `${file} cannot be written: ${error.message}` })
  const once = Effect.gen(function* () {
    const { body, contentType, reason } = yield* download(remote, nsid, params)
    yield* body.pipe(
      Stream.mapError(reason),
      Stream.tap(watch()),
      Stream.run(files.sink(part, { mode: 0o600 })),
      Effect.mapError((error) => (error instanceof Unreachable ? error : broken(error)))
    )
    return contentType
  })
  const whole = Effect.gen(function* () {
    const contentType = yield* patiently(once)
    yield* accept(part)
    yield* Effect.mapError(files.rename(part, file), broken)
    return { contentType }
  })
  // The next try begins anew, so that nothing of a refused file is of any use.
  return yield* Effect.onExit(whole, (exit) =>
    exit._tag === "Success" ? Effect.void : Effect.ignore(files.remove(part))
  )
})

/** Fetches a blob into a file, and believes it only if its bytes have the CID. */
export const fetchBlob = Effect.fn("cli.fetchBlob")(function* (
  remote: Remote,
  { did, cid, file }: { readonly did: string; readonly cid: CidText; readonly file: string },
  progress: Progress
) {
  let hash = createHash("sha256")
  return yield* into(
    remote,
    "com.atproto.sync.getBlob",
    { did, cid },
    {
      file,
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
                  why: "its bytes are others"
                })
              )
        })
    }
  )
})

/** Reads a CAR through: its blocks have their digests, its commit is of this account. Gives the commit's rev. */
export const checkCar = Effect.fn("cli.checkCar")(function* (file: string, did: string) {
  const files = yield* FileSystem.FileSystem
  const wrong = (why: string) =>
    new Failed({ message: `${file} is not the repo of ${did}: ${why}` })
  const reader = readCar(Stream.toAsyncIterable(files.stream(file, { chunkSize: 0x10000 })), {
    isLenient: true
  })
  const [root] = yield* Effect.tryPromise({
    try: () => reader.roots(),
    catch: (error) => wrong(String(error))
  })
  if (root === undefined) return yield* wrong("it names no commit")
  const name = String(root)
  let rev: string | undefined
  yield* Stream.fromAsyncIterable(reader, (error) => wrong(String(error))).pipe(
    Stream.runForEach(({ cid, bytes }) =>
      String(cid) === name
        ? Effect.try({
            try: () => decodeForeignCommit(bytes),
            catch: () => wrong("its commit is malformed")
          }).pipe(
            Effect.filterOrFail(
              (commit) => commit.did === did,
              (commit) => wrong(`it is of ${commit.did}`)
            ),
            Effect.map((commit) => void (rev = commit.rev ?? ""))
          )
        : Effect.void
    )
  )
  return rev ?? (yield* wrong("its commit is missing"))
})

/** Fetches the whole repo into a file, checked. Gives its rev. */
export const fetchRepo = Effect.fn("cli.fetchRepo")(function* (
  remote: Remote,
  did: string,
  file: string,
  progress: Progress
) {
  let rev = ""
  yield* into(
    remote,
    "com.atproto.sync.getRepo",
    { did },
    {
      file,
      watch: () => {
        return ({ length }) => progress.pass(length)
      },
      accept: (part) =>
        checkCar(part, did).pipe(
          Effect.map((found) => void (rev = found)),
          Effect.mapError(
            ({ message }) => new Damaged({ server: remote.server, what: "the repo", why: message })
          )
        )
    }
  )
  return rev
})

const Cids = Schema.Struct({
  cursor: Schema.optionalKey(Cursor),
  cids: Schema.Array(Words)
})

/** All blobs that the account's records refer to and that are there, as the server names them. */
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
