import { existsSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Settings } from "../../../services/host/Config.ts"
import * as BlobStoreFiles from "../../blobs/BlobStoreFiles.ts"
import * as ConfigEnv from "../../host/ConfigEnv.ts"
import * as KeysMaster from "../../identity/KeysMaster.ts"
import { fileOf } from "../../objects/AccountsFiles.ts"
import { draftAccount } from "./accountDraft.ts"
import { adoptAccount, type AdoptedAccount } from "./adoptAccount.ts"
import { appsOf } from "./adoptApps.ts"
import { consentsOf } from "./adoptConsents.ts"
import * as Host from "./adoptHost.ts"
import type { AdoptionReport, ReportedAccount } from "../../../core/accounts/adoption.ts"
import { changed, checkFolder, checkRoom, finish, openFolder } from "./adoption.ts"
import { Unadoptable } from "./adoptRepo.ts"
import { hostLetGo } from "./letGo.ts"
import { accountsOf, type SourceAccount } from "./sourceAccounts.ts"
import { openSource, type SourceDatabase, stateOf } from "./sourceDatabase.ts"
import { actorPlacesOf, placesOf, type SourcePlaces, type SourceVariables } from "./sourcePlaces.ts"

/** What to adopt, and where. */
export interface Adoption {
  /** The old server's data folder, and its variables. */
  readonly source: string
  readonly variables: SourceVariables
  /** The new data folder, and its variables. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  /** Reads and verifies, and writes nothing. */
  readonly isDry: boolean
  /** The DIDs of accounts to leave out. */
  readonly skip: ReadonlySet<string>
  /** Called after each account. */
  readonly onAccount: (done: number, total: number) => Effect.Effect<void>
}

const reported = (found: AdoptedAccount, handle: string | undefined): ReportedAccount => {
  const { account, repo, blobs, signIns, letGo } = found
  const inactive = account.deactivatedAt === undefined ? "active" : "deactivated"
  return {
    did: account.did,
    handle,
    status: account.takedown ?? inactive,
    commit: repo.head.commit.toString(),
    rev: repo.head.rev,
    records: repo.head.records,
    blobs: blobs.count,
    missingBlobs: blobs.missing,
    ...signIns,
    letGo
  }
}

/** Fails for a server whose data can't be taken over from its folder alone. */
const checkSource = (places: SourcePlaces, variables: SourceVariables): void => {
  const cases = {
    PDS_ENTRYWAY_URL: "The old server's accounts belong to an entryway, not to it.",
    PDS_PLC_ROTATION_KEY_KMS_KEY_ID:
      "The old server's rotation key is in a key management service, which never hands it out.",
    PDS_BLOBSTORE_S3_BUCKET:
      "The old server's blobs are in a bucket. Copy its folder `blocks` to a local one, name that in PDS_BLOBSTORE_DISK_LOCATION, and remove PDS_BLOBSTORE_S3_BUCKET from a copy of the variables."
  }
  for (const [name, problem] of Object.entries(cases)) {
    if (variables[name]) throw new Unadoptable(problem)
  }
  for (const file of [places.accounts, places.sequencer]) {
    if (!existsSync(file)) throw new Unadoptable(`There is no file ${file}.`)
  }
  // A container's folder that is elsewhere on this machine: without this, every blob would be missing.
  const named = variables["PDS_BLOBSTORE_DISK_LOCATION"]
  if (named !== undefined && !existsSync(places.blobs)) {
    throw new Unadoptable(
      `There is no folder ${places.blobs}. Name the folder of the blobs on this machine in PDS_BLOBSTORE_DISK_LOCATION.`
    )
  }
}

const settingsOf = (env: Adoption["env"]): Settings => {
  const read = ConfigEnv.read(env)
  if (Result.isSuccess(read)) return read.success
  const lines = read.failure.problems.map(({ variable, message }) => `  ${variable} ${message}`)
  throw new Unadoptable(`The new server's configuration would be invalid:\n${lines.join("\n")}`)
}

/** The bytes that the copy takes at most: the databases, twice while one is written, and the blobs. */
const sizeOf = (places: SourcePlaces, dids: ReadonlyArray<string>): number => {
  let bytes = 0
  for (const did of dids) {
    const { store } = actorPlacesOf(places, did)
    if (!existsSync(store)) continue
    bytes += 2 * statSync(store).size
    const source = openSource(store)
    const [row] = source.rows("SELECT sum(size) AS bytes FROM blob")
    bytes += Number(row?.["bytes"] ?? 0)
    source.close()
  }
  return bytes
}

/** Opens a database for the scope of an effect. */
const reading = (path: string) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => openSource(path),
      catch: (cause) => new Unadoptable(`${path} can't be opened: ${String(cause)}`)
    }),
    (source: SourceDatabase) => Effect.sync(() => source.close())
  )

type Target = ReturnType<typeof openFolder>

/** Verifies an account and, with a target, copies it. */
const adoptOne = (
  { folder, env, variables }: Adoption,
  source: SourceAccount,
  places: SourcePlaces,
  accounts: SourceDatabase,
  target: Target | undefined
) =>
  Effect.gen(function* () {
    const path = actorPlacesOf(places, source.did).store
    if (!existsSync(path)) return yield* Effect.fail(new Unadoptable(`${path} is missing`))
    const before = stateOf(path)
    const store = yield* reading(path)
    const now = yield* Clock.currentTimeMillis
    const from = { accounts, store }
    if (target === undefined) return yield* adoptAccount(source, from, places, undefined, now)
    const file = fileOf(join(folder, "accounts"), source.did)
    // An earlier run was cut off before it entered the account into the directory.
    rmSync(file, { force: true })
    const found = yield* draftAccount(file, (sql) =>
      adoptAccount(
        source,
        from,
        places,
        {
          sql,
          directory: target.directory,
          store: BlobStoreFiles.make(join(folder, "blobs")),
          keys: settingsOf(env),
          jwtSecret: variables["PDS_JWT_SECRET"],
          event: now * 1000 + 1
        },
        now
      )
    )
    if (stateOf(path) !== before) return yield* Effect.fail(new Unadoptable(changed(folder)))
    Host.announce(target.log, found.account, found.repo, now)
    const { deleteAfter } = found.account
    if (deleteAfter !== undefined || found.blobs.unused > 0) {
      const ring = "INSERT OR REPLACE INTO alarm (did, at) VALUES (?, ?)"
      target.alarms.exec(ring, source.did, now)
    }
    Host.listAccount(target.directory, source, found.account)
    return found
  }).pipe(Effect.scoped)

/** All accounts, one after the other; a fault in one doesn't keep the others from being verified. */
const adoptAll = Effect.fnUntraced(function* (
  adoption: Adoption,
  places: SourcePlaces,
  source: SourceDatabase,
  target: Target | undefined
) {
  const all = accountsOf(source)
  const accounts: Array<ReportedAccount> = []
  const doneBefore: Array<string> = []
  const faults: Array<AdoptionReport["faults"][number]> = []
  let seen = 0
  for (const account of all) {
    seen += 1
    const { did, handle } = account
    if (adoption.skip.has(did)) continue
    if (target !== undefined && Host.isListed(target.directory, did)) doneBefore.push(did)
    else {
      yield* adoptOne(adoption, account, places, source, target).pipe(
        Effect.match({
          onSuccess: (found) => void accounts.push(reported(found, handle)),
          onFailure: ({ message }) => void faults.push({ did, handle, problem: message })
        })
      )
    }
    yield* adoption.onAccount(seen, all.length)
  }
  const skipped = all.filter(({ did }) => adoption.skip.has(did)).map(({ did }) => did)
  return { accounts, doneBefore, skipped, faults }
})

/**
 * Copies a reference PDS's data folder into a new data folder of this server, or only verifies it.
 *
 * The old folder is read, never written to. The new server doesn't start until everything is there.
 */
export const adopt = (adoption: Adoption) =>
  Effect.gen(function* () {
    const { folder, source, variables, isDry } = adoption
    const places = placesOf(source, variables)
    checkSource(places, variables)
    const settings = settingsOf(adoption.env)
    const state = `${stateOf(places.accounts)} ${stateOf(places.sequencer)}`
    checkFolder(folder, { source, state })
    const accounts = yield* reading(places.accounts)
    const seq = Host.lastSeq(yield* reading(places.sequencer))
    const dids = accountsOf(accounts).map(({ did }) => did)
    checkRoom(folder, sizeOf(places, dids))
    const now = yield* Clock.clockWith((clock) =>
      Effect.succeed(() => clock.currentTimeMillisUnsafe())
    )
    const target = isDry
      ? undefined
      : yield* Effect.acquireRelease(
          Effect.sync(() => openFolder(folder, { source, state }, seq, now)),
          ({ close }) => Effect.sync(close)
        )
    const adopted = yield* adoptAll(adoption, places, accounts, target).pipe(
      Effect.provide(KeysMaster.layer(settings))
    )
    const kept = { apps: 0, consents: 0 }
    for (const { did } of accountsOf(accounts)) {
      if (adoption.skip.has(did)) continue
      kept.apps += appsOf(accounts, did, now()).length
      kept.consents += consentsOf(accounts, did).length
    }
    const letGo = hostLetGo(accounts, variables, kept)
    const report: AdoptionReport = {
      ...adopted,
      invites:
        target === undefined
          ? Number([...accounts.rows("SELECT count(*) AS n FROM invite_code")][0]?.["n"] ?? 0)
          : Host.adoptInvites(accounts, target.directory),
      reservedKeys: Host.countReservedKeys(places),
      seq,
      letGo
    }
    if (target !== undefined) {
      yield* Host.adoptReservedKeys(places, target.directory, now()).pipe(
        Effect.provide(KeysMaster.layer(settings))
      )
      if (`${stateOf(places.accounts)} ${stateOf(places.sequencer)}` !== state) {
        throw new Unadoptable(changed(folder))
      }
      if (adopted.faults.length === 0) finish(folder, report)
    }
    return report
  }).pipe(
    Effect.scoped,
    Effect.catchDefect((defect) =>
      defect instanceof Unadoptable ? Effect.fail(defect) : Effect.die(defect)
    )
  )
