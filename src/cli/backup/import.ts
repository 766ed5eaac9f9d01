import * as Effect from "effect/Effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../../scripts/project.ts"
import { standingOf } from "../account/show.ts"
import { accountArgument, meant, yesFlag } from "../account/people.ts"
import { isCidText } from "../answers.ts"
import { Failed } from "../failure.ts"
import { treeAt } from "../migrate/network.ts"
import { facts, note, report } from "../output.ts"
import { theServer } from "../place.ts"
import { longWay } from "../patience.ts"
import { withProgress } from "../progress.ts"
import { insist } from "../prompts.ts"
import { type Session, signInAs } from "../session.ts"
import { checkCar } from "./fetching.ts"
import type { Folder } from "./folder.ts"
import { openExport } from "./unzip.ts"
import { listMissingBlobs, preferencesFrom, putPreferences, sendBlob, sendRepo } from "./sending.ts"

/** How many blobs are sent in parallel. */
const atATime = 4

const importRepo = Effect.fnUntraced(function* (session: Session, folder: Folder, yes: boolean) {
  const { commit } = yield* checkCar(folder.car, session.did)
  const { data, rev = "" } = commit
  const { repoRev, indexedRecords } = yield* standingOf(session)
  if (indexedRecords > 0 && repoRev > rev) {
    yield* insist(
      `The account has ${indexedRecords} records and is newer than the export. Replace them with the export?`,
      yes
    )
  }
  yield* note("Importing the repo…")
  yield* sendRepo(session, folder.car)
  if ((yield* treeAt(session, session.did)) === data.toString()) return
  return yield* new Failed({
    message: `${session.server} accepted the repo, but its records differ from the export`,
    next: "Something may have been posted meanwhile. Run the command again to import the export once more."
  })
})

/** Sends the blobs that the server lacks; returns those that the folder lacks too. */
export const importBlobs = Effect.fnUntraced(function* (session: Session, folder: Folder) {
  const missing = yield* listMissingBlobs(session)
  const there = yield* folder.blobs
  const types = yield* folder.blobTypes
  const found = missing.filter(isCidText).filter((cid) => there.has(cid))
  yield* withProgress({ label: "Blobs", total: found.length }, (progress) =>
    Effect.forEach(
      found,
      (cid) =>
        sendBlob(session, {
          cid,
          file: there.get(cid) ?? folder.blob(cid),
          contentType: types.get(cid) ?? "application/octet-stream"
        }).pipe(Effect.andThen(progress.advance(1))),
      { concurrency: atATime, discard: true }
    )
  )
  return missing.filter((cid) => !there.has(cid))
})

/** `nacre import`: loads an export into an existing account. */
export const importAccount = Command.make(
  "import",
  {
    folder: Argument.String("folder").pipe(
      Argument.withDescription(
        "A folder created by nacre export, or an archive of the account's page (.zip), with its parts beside it"
      )
    ),
    account: accountArgument,
    withoutRepo: Flag.Boolean("without-repo").pipe(
      Flag.withDescription("Import only blobs and preferences"),
      Flag.withDefault(false)
    ),
    yes: yesFlag
  },
  Effect.fnUntraced(
    function* ({ account, folder: name, withoutRepo, yes }) {
      const folder = yield* openExport(name)
      const manifest = yield* folder.manifest
      if (manifest === undefined) {
        return yield* new Failed({
          message: `${name} doesn't contain an export`,
          next: `Create one: ${nacre} export <folder> <handle> --server <the account's server>`
        })
      }
      const session = yield* signInAs(yield* theServer, yield* meant(account))
      if (session.did !== manifest.did) {
        return yield* new Failed({
          message: `The export belongs to ${manifest.did}, but ${session.handle} is ${session.did}`,
          next: "Choose the account that the export belongs to with --account."
        })
      }
      if (!withoutRepo) yield* importRepo(session, folder, yes)
      const lost = yield* importBlobs(session, folder)
      const preferences = yield* folder.preferences
      if (preferences !== undefined) {
        yield* putPreferences(session, yield* preferencesFrom(preferences))
      }
      const standing = yield* standingOf(session)
      const { did, handle, server } = session
      yield* report({ server, did, handle, ...standing, missingBlobs: lost }, () =>
        facts([
          ["Account", `${handle} (${did})`],
          ["Records", String(standing.indexedRecords)],
          ["Blobs", `${standing.importedBlobs} of ${standing.expectedBlobs}`],
          ["Active", standing.activated ? "yes" : "no"]
        ])
      )
      if (lost.length > 0)
        yield* note(`${lost.length} blobs are missing, both on the server and in the folder.`)
      if (!standing.activated) {
        yield* note(
          `Once the account's DID points here, activate it: ${nacre} account activate ${handle} --owner`
        )
      }
    },
    Effect.scoped,
    longWay
  )
).pipe(
  Command.withDescription(
    "Import an export into the account with the same DID on this server. Resumable: run it again to continue"
  )
)
