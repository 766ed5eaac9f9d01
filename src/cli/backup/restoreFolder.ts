import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AccountManifest, BlobList } from "../../core/backups/manifests.ts"
import { accountKey, blobKey } from "../../core/backups/places.ts"
import { nacre } from "../../../scripts/project.ts"
import { CidText, Did, Handle, Words } from "../answers.ts"
import { CallFailed, Failed } from "../failure.ts"
import { withProgress } from "../progress.ts"
import { fetchText, query, type Remote } from "../xrpc.ts"
import { fetchBlob, fetchRepo, holdsBlob } from "./fetching.ts"
import { openFolder } from "./folder.ts"

const route = "admin/backups/object"

const Versions = Schema.Struct({ did: Did, backups: Schema.Array(Words) })

const Refusal = Schema.fromJsonString(Schema.Struct({ message: Words }))

/** What to do about a damaged backup. */
const another = `Choose another backup with --backup; --list names them. The account's next backup is whole again: ${nacre} backup now`

/** Reads a manifest of a backup; the server, which has the key, has authenticated it. */
const manifestAt = Effect.fnUntraced(function* <S extends Schema.ConstraintDecoder<unknown>>(
  admin: Remote,
  key: string,
  schema: S
) {
  const { status, text } = yield* fetchText(
    `${admin.server}/${route}?${new URLSearchParams({ key })}`,
    { authorization: yield* admin.authorization ?? Effect.succeed("") }
  )
  if (status !== 200) {
    const said = Schema.decodeUnknownOption(Refusal)(text)
    const message =
      said._tag === "Some" ? said.value.message : `${key}: the server answered ${status}`
    return yield* new Failed({ message, next: another })
  }
  return yield* Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(
    text.replace(/\n[^\n]*\n$/, "")
  ).pipe(Effect.mapError(() => new Failed({ message: `${key} isn't a manifest of a backup` })))
})

/** The account's handle, if it's still on the server. */
const handleOf = (admin: Remote, did: string) =>
  query(admin, "com.atproto.admin.getAccountInfo", Schema.Struct({ handle: Handle }), { did }).pipe(
    Effect.map(({ handle }) => handle),
    Effect.catchIf(
      (error) => error instanceof CallFailed && error.status < 500,
      () => Effect.succeed("handle.invalid")
    )
  )

/** Saves an account's backup in a folder that `nacre import` reads; continues an interrupted one. */
export const restoreFolder = Effect.fn("cli.restoreFolder")(
  function* (
    admin: Remote,
    {
      account,
      backup,
      name
    }: { readonly account: string; readonly backup: string | undefined; readonly name: string }
  ) {
    const { did, backups } = yield* query(admin, "admin/backups/account", Versions, { account })
    const version = backup ?? backups.at(-1)
    if (version === undefined || !backups.includes(version)) {
      return yield* new Failed({
        message: `There is no backup ${backup === undefined ? "" : `${backup} `}of ${account}`
      })
    }
    const manifest = yield* manifestAt(admin, accountKey(did, version), AccountManifest)
    const folder = yield* openFolder(name)
    const before = yield* folder.manifest
    if (before !== undefined && before.did !== did) {
      return yield* new Failed({
        message: `${name} contains an export of another account (${before.did})`,
        next: "Choose another folder."
      })
    }
    yield* folder.prepare
    const handle = before?.handle ?? (yield* handleOf(admin, did))
    const head = { type: "nacre-export", version: 1, did, handle, server: admin.server } as const
    yield* folder.writeManifest(head)
    const { commit, records } = yield* withProgress({ label: "Repo" }, (progress) =>
      fetchRepo(admin, did, folder.car, progress, {
        nsid: route,
        params: { key: manifest.car.key },
        digest: manifest.car.digest
      })
    )
    const known = { ...head, ...(commit.rev === undefined ? {} : { rev: commit.rev }) }
    let blobs = 0
    yield* withProgress({ label: "Blobs", total: manifest.blobs.count }, (progress) =>
      Effect.forEach(manifest.blobs.lists, (list) =>
        Effect.flatMap(manifestAt(admin, list.key, BlobList), (entries) =>
          Effect.forEach(
            entries,
            Effect.fnUntraced(function* ({ cid: text, mimeType }) {
              const cid = yield* Schema.decodeEffect(CidText)(text).pipe(
                Effect.mapError(
                  () => new Failed({ message: `${list.key} has an invalid CID: ${text}` })
                )
              )
              const file = folder.blob(cid)
              if (!(yield* holdsBlob(file, cid))) {
                const source = { nsid: route, params: { key: blobKey(did, cid) } }
                yield* fetchBlob(admin, { did, cid, file }, progress, source)
                yield* folder.noteBlob(cid, mimeType)
              }
              blobs += 1
              yield* progress.advance(1)
            })
          )
        )
      )
    )
    yield* folder.writeManifest({ ...known, blobs, completedAt: manifest.madeAt })
    return { folder: name, did, handle, backup: version, madeAt: manifest.madeAt, records, blobs }
  },
  Effect.catchTag("Damaged", ({ what, why }) =>
    Effect.fail(new Failed({ message: `The backup is damaged: ${what}: ${why}`, next: another }))
  )
)
