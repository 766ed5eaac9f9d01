import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { type CidText, isCidText, Tid } from "../answers.ts"
import { accountArgument, meant } from "../account/people.ts"
import { CallFailed, Damaged, Failed } from "../failure.ts"
import { facts, note, report } from "../output.ts"
import { theServer } from "../place.ts"
import { longWay } from "../patience.ts"
import { type Progress, withProgress } from "../progress.ts"
import { type Session, signInAs } from "../session.ts"
import { query } from "../xrpc.ts"
import { checkCar, fetchBlob, fetchRepo, holdsBlob, listBlobs } from "./fetching.ts"
import { type Folder, type Manifest, openFolder } from "./folder.ts"
import { getPreferences } from "./sending.ts"
import type { WholeRepo } from "./wholeRepo.ts"

/** How many blobs are fetched in parallel. */
const atATime = 4

/** Fetches the repo unless the folder has its current state. */
const exportRepo = Effect.fnUntraced(function* (
  session: Session,
  folder: Folder,
  before: Manifest | undefined
) {
  const { did } = session
  const latest = yield* query(
    session,
    "com.atproto.sync.getLatestCommit",
    Schema.Struct({ rev: Tid }),
    { did }
  ).pipe(
    // Only checkAccountStatus has the rev of an inactive account; without it the repo is fetched again.
    Effect.catchIf(
      (error) => error instanceof CallFailed && error.status < 500,
      () => Effect.undefined
    )
  )
  if (before?.rev !== undefined && before.rev === latest?.rev) {
    const kept = yield* Effect.option(checkCar(folder.car, did))
    if (kept._tag === "Some" && kept.value.commit.rev === latest.rev) return kept.value
  }
  return yield* withProgress({ label: "Repo" }, (progress) =>
    fetchRepo(session, did, folder.car, progress)
  )
})

/**
 * Fetches the blobs that the server lists or a record references, except those already in the
 * folder; returns the total number and the CIDs that failed.
 */
const exportBlobs = Effect.fnUntraced(function* (
  session: Session,
  folder: Folder,
  { blobs }: WholeRepo
) {
  const listed = yield* listBlobs(session, session.did)
  const cids = [...new Set([...listed.filter(isCidText), ...blobs])]
  const there = yield* folder.blobs
  const failed = yield* withProgress({ label: "Blobs", total: cids.length }, (progress) =>
    Effect.forEach(
      cids,
      Effect.fnUntraced(function* (cid) {
        const isThere = there.has(cid) && (yield* holdsBlob(folder.blob(cid), cid))
        const lost = isThere ? undefined : yield* exportBlob(session, { folder, cid, progress })
        yield* progress.advance(1)
        return lost === undefined ? [] : [lost]
      }),
      { concurrency: atATime }
    )
  )
  const nameless = listed.filter((name) => !isCidText(name))
  return { count: cids.length + nameless.length, failed: [...failed.flat(), ...nameless] }
})

/** Fetches one blob; a blob that the server has lost doesn't stop the others. */
const exportBlob = Effect.fnUntraced(function* (
  session: Session,
  {
    folder,
    cid,
    progress
  }: { readonly folder: Folder; readonly cid: CidText; readonly progress: Progress }
) {
  const file = folder.blob(cid)
  return yield* fetchBlob(session, { did: session.did, cid, file }, progress).pipe(
    Effect.flatMap(({ contentType }) => folder.noteBlob(cid, contentType)),
    Effect.as(undefined),
    Effect.catchIf(
      (error) => (error instanceof CallFailed && error.status < 500) || error instanceof Damaged,
      () => Effect.succeed(cid)
    )
  )
})

/** `nacre export`: saves an account in one folder. */
export const exportAccount = Command.make(
  "export",
  {
    folder: Argument.String("folder").pipe(
      Argument.withDescription("The folder to save to; created if it doesn't exist")
    ),
    account: accountArgument,
    allowMissing: Flag.Boolean("allow-missing-blobs").pipe(
      Flag.withDescription("Finish even if some blobs can't be fetched"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ account, allowMissing, folder: name }) {
    const session = yield* signInAs(yield* theServer, yield* meant(account))
    const { server, did, handle } = session
    const folder = yield* openFolder(name)
    const before = yield* folder.manifest
    if (before !== undefined && before.did !== did) {
      return yield* new Failed({
        message: `${name} contains an export of another account (${before.did}), not of ${handle}`,
        next: "Choose another folder."
      })
    }
    yield* folder.prepare
    const manifest: Manifest = { type: "nacre-export", version: 1, did, handle, server }
    if (before === undefined) yield* folder.writeManifest(manifest)
    const repo = yield* exportRepo(session, folder, before)
    const { rev } = repo.commit
    const known = { ...manifest, ...(rev === undefined ? {} : { rev }) }
    yield* folder.writeManifest(known)
    const { count, failed } = yield* exportBlobs(session, folder, repo)
    yield* folder.writePreferences(yield* getPreferences(session))
    if (failed.length > 0 && !allowMissing) {
      return yield* new Failed({
        message: `${failed.length} of ${count} blobs couldn't be fetched: ${failed.slice(0, 5).join(", ")}`,
        next: `Everything else is saved in ${name}. Run the command again to retry, or finish without them: --allow-missing-blobs`
      })
    }
    const completedAt = new Date(yield* Clock.currentTimeMillis).toISOString()
    yield* folder.writeManifest({ ...known, blobs: count - failed.length, completedAt })
    const { records } = repo
    const found = count - failed.length
    yield* report(
      { folder: name, did, handle, rev, records, blobs: found, missingBlobs: failed },
      () =>
        facts([
          ["Account", `${handle} (${did})`],
          ["Folder", name],
          ["Rev", rev],
          ["Records", String(records)],
          ["Blobs", failed.length === 0 ? String(found) : `${found} of ${count}`]
        ])
    )
    yield* note(
      "The folder contains private preferences and is readable only by you. It contains no keys or passwords."
    )
  }, longWay)
).pipe(
  Command.withDescription(
    "Save an account's repo, blobs and preferences in a folder. Resumable: run it again to continue or update"
  ),
  Command.withExamples([
    {
      command: "nacre export alice-backup alice.example.com",
      description: "Asks for the password"
    }
  ])
)
