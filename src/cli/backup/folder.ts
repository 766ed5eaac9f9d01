import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { CidText, Did, Handle, isCidText, Tid, Words } from "../answers.ts"
import { Failed } from "../failure.ts"

/** An export's description of itself. */
const Manifest = Schema.Struct({
  type: Schema.Literal("nacre-export"),
  version: Schema.Literal(1),
  did: Did,
  handle: Handle,
  server: Words,
  /** The rev of `repo.car`, once it exists. */
  rev: Schema.optionalKey(Tid),
  blobs: Schema.optionalKey(Schema.Int),
  /** When the export was complete. */
  completedAt: Schema.optionalKey(Words)
})

/** An export's description of itself. */
export type Manifest = typeof Manifest.Type

const ManifestFile = Schema.fromJsonString(Manifest)

const BlobTypes = Schema.fromJsonString(Schema.Struct({ cid: CidText, mimeType: Words }))

const broken = (what: string) => (error: { readonly message: string }) =>
  new Failed({ message: `${what}: ${error.message}` })

/**
 * An exported account: `export.json`, `repo.car`, `preferences.json`, `blobs/<CID>`, and
 * `blobs.jsonl` with the blobs' types. Or an unpacked archive of the account's page, whose manifest
 * is `manifest.json`.
 *
 * Files are renamed into place when complete, so an existing file need not be fetched again.
 */
export const openFolder = Effect.fnUntraced(function* (folder: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const at = (...names: ReadonlyArray<string>) => path.join(folder, ...names)
  const exists = (file: string) => Effect.orElseSucceed(files.exists(file), () => false)

  const manifest = Effect.gen(function* () {
    const name = (yield* exists(at("export.json"))) ? "export.json" : "manifest.json"
    if (!(yield* exists(at(name)))) return undefined
    return yield* files.readFileString(at(name)).pipe(
      Effect.flatMap(Schema.decodeEffect(ManifestFile)),
      Effect.mapError(() => new Failed({ message: `${at(name)} isn't an export manifest` }))
    )
  })

  /** Replaces a file atomically; only its owner can read it. */
  const put = (name: string, text: string) =>
    files
      .writeFileString(`${at(name)}.part`, text, { mode: 0o600 })
      .pipe(
        Effect.andThen(files.rename(`${at(name)}.part`, at(name))),
        Effect.mapError(broken(`Couldn't write ${at(name)}`))
      )

  const prepare = files
    .makeDirectory(at("blobs"), { recursive: true, mode: 0o700 })
    .pipe(Effect.mapError(broken(`Couldn't create ${folder}`)))

  /** The files of the blobs by CID; an archive of the account's page adds an extension to them. */
  const blobs = Effect.gen(function* () {
    if (!(yield* exists(at("blobs")))) return new Map<string, string>()
    const names = yield* Effect.mapError(
      files.readDirectory(at("blobs")),
      broken(`Couldn't read ${at("blobs")}`)
    )
    return new Map<string, string>(
      names.flatMap((name) => {
        const [cid = ""] = name.split(".", 1)
        return isCidText(cid) && !name.endsWith(".part") ? [[cid, at("blobs", name)]] : []
      })
    )
  })

  /** The blobs' types; the server detects a missing one from the bytes. */
  const blobTypes = Effect.gen(function* () {
    const text = yield* Effect.orElseSucceed(files.readFileString(at("blobs.jsonl")), () => "")
    const types = new Map<string, string>()
    for (const line of text.split("\n")) {
      const read = Schema.decodeOption(BlobTypes)(line)
      if (read._tag === "Some") types.set(read.value.cid, read.value.mimeType)
    }
    return types
  })

  const noteBlob = (cid: CidText, mimeType: string) =>
    files
      .writeFileString(at("blobs.jsonl"), `${JSON.stringify({ cid, mimeType })}\n`, { flag: "a" })
      .pipe(Effect.mapError(broken(`Couldn't write ${at("blobs.jsonl")}`)))

  return {
    car: at("repo.car"),
    blob: (cid: CidText) => at("blobs", cid),
    manifest,
    writeManifest: (value: Manifest) => put("export.json", `${JSON.stringify(value, null, 2)}\n`),
    preferences: Effect.orElseSucceed(
      files.readFileString(at("preferences.json")),
      () => undefined
    ),
    writePreferences: (value: unknown) =>
      put("preferences.json", `${JSON.stringify(value, null, 2)}\n`),
    hasCar: exists(at("repo.car")),
    prepare,
    blobs,
    blobTypes,
    noteBlob
  }
})

/** An exported account on this machine. */
export type Folder = Effect.Success<ReturnType<typeof openFolder>>
