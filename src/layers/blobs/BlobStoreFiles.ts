import { createHash, randomUUID } from "node:crypto"
import { createReadStream } from "node:fs"
import { type FileHandle, mkdir, open as openPath, rename, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Readable } from "node:stream"
import * as Effect from "effect/Effect"
import { BlobStore, BlobStoreUnavailable } from "../../services/blobs/BlobStore.ts"
import { asPutFailure, checkBounds, pump } from "./blobPump.ts"

/** Where a key's file is, below the folder. */
export type Place = (key: string) => string

/** By the key's digest: a key may be longer than a file's name. */
const hashed: Place = (key) => {
  const name = createHash("sha256").update(key).digest("hex")
  return join(name.slice(0, 2), name.slice(2, 4), name)
}

/** The error's code if the file is missing, which is no failure here. */
const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT"

/** Makes a new name in a folder survive a power cut. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await openPath(folder, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Makes folders whose names survive a power cut.
 *
 * A folder's first use in this process syncs its name even if it is there: an earlier process may have
 * been killed before it did that.
 */
const folderMaker = (top: string) => {
  const made = new Set<string>()
  return async (folder: string): Promise<void> => {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 })
    if (first === undefined && made.has(folder)) return
    for (let at = folder; at.length >= top.length; at = dirname(at)) {
      await syncFolder(dirname(at))
    }
    for (let at = folder; at.length >= top.length; at = dirname(at)) made.add(at)
  }
}

const unavailable = (operation: string) => (cause: unknown) =>
  new BlobStoreUnavailable({ operation, cause })

/** A file descriptor takes part of a chunk at worst, so this writes until it is through. */
const writeAll = async (file: FileHandle, chunk: Uint8Array): Promise<void> => {
  for (let at = 0; at < chunk.byteLength;) {
    at += (await file.write(chunk, at)).bytesWritten
  }
}

/**
 * A blob store in a folder, which may be another file system than the databases'.
 *
 * A body is written under a temporary name, synced and renamed, so a file with a key's name is
 * always whole.
 */
export const make = (folder: string, place: Place = hashed): BlobStore["Service"] => {
  const fileOf = (key: string) => join(folder, place(key))
  const temporary = join(folder, "tmp")
  const makeFolder = folderMaker(folder)

  const put: BlobStore["Service"]["put"] = (key, body, options) =>
    Effect.tryPromise({
      try: async (signal) => {
        checkBounds(options)
        await makeFolder(temporary)
        const draft = join(temporary, randomUUID())
        const target = fileOf(key)
        try {
          const file = await openPath(draft, "wx", 0o600)
          const blob = await pump(body, options, signal, (chunk) => writeAll(file, chunk))
            .then(async (measured) => {
              await file.datasync()
              return measured
            })
            .finally(() => file.close())
          await makeFolder(dirname(target))
          await rename(draft, target)
          await syncFolder(dirname(target))
          return blob
        } catch (cause) {
          await rm(draft, { force: true })
          throw cause
        }
      },
      catch: asPutFailure
    })

  const head: BlobStore["Service"]["head"] = (key) =>
    Effect.tryPromise({
      try: () =>
        stat(fileOf(key)).then(
          ({ size }) => size,
          (error: unknown) => {
            if (isMissing(error)) return undefined
            throw error
          }
        ),
      catch: unavailable("head")
    })

  return BlobStore.of({
    put,
    head,
    get: (key, range) =>
      Effect.map(head(key), (size) => {
        if (size === undefined) return undefined
        const { offset, length } = range ?? { offset: 0, length: size }
        if (length === 0) return { body: new Blob([]).stream(), size, range }
        const file = createReadStream(fileOf(key), { start: offset, end: offset + length - 1 })
        // SAFETY: Node's web streams are the platform's; only their declarations differ.
        const body = Readable.toWeb(file) as unknown as ReadableStream<Uint8Array>
        return { body, size, range }
      }),
    delete: (keys) =>
      Effect.tryPromise({
        try: async () => {
          for (const key of keys) await rm(fileOf(key), { force: true })
        },
        catch: unavailable("delete")
      })
  })
}

/** Removes what uploads left behind when the process was killed. */
const removeDrafts = (folder: string): Promise<void> =>
  rm(join(folder, "tmp"), { recursive: true, force: true })

/** The blob store of a data folder. */
export const open = (folder: string): Effect.Effect<BlobStore["Service"]> =>
  Effect.as(
    Effect.promise(() => removeDrafts(folder)),
    make(folder)
  )
