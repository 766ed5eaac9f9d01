import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import { crc32 } from "node:zlib"
import {
  contentAt,
  directoryAt,
  InvalidZip,
  readDirectory,
  type ZipEntry,
  zipTail
} from "../../core/bytes/zipReader.ts"
import { isCidText } from "../answers.ts"
import { Failed } from "../failure.ts"
import { openFolder } from "./folder.ts"
import { note } from "../output.ts"
import { printable } from "../printable.ts"

/** The largest directory that is read, in bytes: a part has some 900 files. */
const maxDirectory = 16_000_000

const isBlob = (name: string): boolean => {
  const [, cid = ""] = /^blobs\/([^./]+)\.[a-z0-9]+$/.exec(name) ?? []
  return isCidText(cid)
}

/** The files to unpack. */
const isWanted = (name: string): boolean =>
  name === "manifest.json" || name === "repo.car" || name === "preferences.json" || isBlob(name)

/** Files of an archive that an import doesn't need. */
const isOther = (name: string): boolean =>
  name === "README.txt" ||
  /^manifest-\d+\.json$/.test(name) ||
  /^records\/[A-Za-z0-9.-]+\.jsonl$/.test(name) ||
  /^lost-\/[a-z0-9]+\.[a-z0-9]+$/.test(name)

/** Why these entries aren't those of an archive; undefined if they are. */
const oddity = (entries: ReadonlyArray<ZipEntry>, fileSize: number): string | undefined => {
  const odd = entries.find(({ name }) => !isWanted(name) && !isOther(name))
  if (odd !== undefined) return `it contains ${printable(odd.name.slice(0, 100))}`
  if (new Set(entries.map(({ name }) => name)).size < entries.length) return "names repeat"
  // Entries that share bytes would unpack to more than the file has.
  const total = entries.reduce((sum, { size }) => sum + size, 0)
  return total > fileSize ? "its files overlap" : undefined
}

/** Unpacks what an import needs from one part of an account's archive, with checksums verified. */
const unpackPart = Effect.fnUntraced(function* (archive: string, folder: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const refuse = (why: string) =>
    new Failed({
      message: `${archive} isn't an archive of an account: ${why}`,
      next: "Use the file as you downloaded it. If you packed it again, unpack it and name the folder."
    })
  const failed = (error: { readonly message: string }) =>
    new Failed({ message: `Couldn't unpack ${archive}: ${error.message}` })
  const read = <A>(use: () => A) =>
    Effect.try({
      try: use,
      catch: (error) => refuse(error instanceof InvalidZip ? error.message : "it is damaged")
    })
  const { size } = yield* Effect.mapError(files.stat(archive), failed)
  const total = Number(size)
  const bytes = (offset: number, length: number) =>
    files.stream(archive, { offset, bytesToRead: length })
  const piece = Effect.fnUntraced(function* (offset: number, length: number) {
    const parts = yield* Effect.mapError(Stream.runCollect(bytes(offset, length)), failed)
    return new Uint8Array(Buffer.concat(parts))
  })
  const start = Math.max(0, total - zipTail)
  const tail = yield* piece(start, total - start)
  const directory = yield* read(() => directoryAt(tail, total))
  if (directory.size > maxDirectory) return yield* refuse("it has too many files")
  const listed = yield* piece(directory.offset, directory.size)
  const entries = yield* read(() => readDirectory(listed, directory.count))
  const odd = oddity(entries, total)
  if (odd !== undefined) return yield* refuse(odd)
  for (const entry of entries.filter(({ name }) => isWanted(name))) {
    const header = yield* piece(entry.offset, 30)
    const from = yield* read(() => contentAt(header, entry))
    let [crc, length] = [0, 0]
    const content = Stream.tap(bytes(from, entry.size), (chunk) =>
      Effect.sync(() => {
        crc = crc32(chunk, crc)
        length += chunk.length
      })
    )
    const sink = files.sink(path.join(folder, entry.name), { mode: 0o600 })
    if (entry.size > 0) yield* Effect.mapError(Stream.run(content, sink), failed)
    if (length !== entry.size || crc !== entry.crc) {
      return yield* refuse(`${entry.name} is damaged`)
    }
  }
})

/**
 * Unpacks an archive of the account's page, with the parts beside it, into a folder that lasts as
 * long as the scope. A later part that isn't there is left out.
 */
export const unpack = Effect.fn("cli.unpack")(function* (archive: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const failed = (error: { readonly message: string }) =>
    new Failed({ message: `Couldn't unpack ${archive}: ${error.message}` })
  // Beside the archive: the folder for temporary files may be too small.
  const folder = yield* Effect.mapError(
    files.makeTempDirectoryScoped({ directory: path.dirname(archive), prefix: ".nacre-import-" }),
    failed
  )
  yield* Effect.mapError(files.makeDirectory(path.join(folder, "blobs")), failed)
  yield* unpackPart(archive, folder)
  for (let part = 2; ; part++) {
    const next = archive.replace(/\.zip$/i, `-part-${part}.zip`)
    const isThere = next !== archive && (yield* Effect.mapError(files.exists(next), failed))
    if (!isThere) return folder
    yield* unpackPart(next, folder)
  }
})

/** Opens an export's folder, or an archive, which it unpacks for as long as the scope. */
export const openExport = Effect.fnUntraced(function* (name: string) {
  if (!/\.zip$/i.test(name)) return yield* openFolder(name)
  yield* note("Unpacking the archive…")
  return yield* openFolder(yield* unpack(name))
})
