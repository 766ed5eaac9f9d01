import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { claimedHandle } from "../../core/identity/alsoKnownAs.ts"
import { didMethod } from "../../core/identity/did.ts"
import { importBlobs } from "../backup/import.ts"
import { listMissingBlobs, preferencesFrom, putPreferences, sendCar } from "../backup/sending.ts"
import { Failed } from "../failure.ts"
import { arrive, handleAt } from "../migrate/arrive.ts"
import { hasMoved, wantedData } from "../migrate/identity.ts"
import { moveFlags } from "../migrate/moveFlags.ts"
import { accountStatusAt, hostOf, standingAt, treeAt } from "../migrate/network.ts"
import { tellMoved } from "../migrate/report.ts"
import { takeSteps } from "../migrate/steps.ts"
import { note } from "../output.ts"
import { longWay } from "../patience.ts"
import { theServer } from "../place.ts"
import { insist } from "../prompts.ts"
import { yesFlag } from "../account/people.ts"
import { readRecoveryKey, type RecoveryKey } from "../recoveryKey.ts"
import { type Session } from "../session.ts"
import { procedure } from "../xrpc.ts"
import { assertSignedBy, type Backup, openBackup, signedAnew } from "./backup.ts"
import { tokenOf, type WayKey, wayKeyOf } from "./passport.ts"
import { baseFor, plcLogOf, signedWith, submitPlc } from "./plc.ts"

/** A recovery to a new server from a backup, with a recovery key. */
interface Recovery {
  readonly did: string
  readonly backup: Backup
  readonly key: RecoveryKey
  readonly way: WayKey
  readonly to: Session
}

/**
 * Puts the temporary key into the DID, which lets its owner sign tokens, and undoes a removal of
 * the recovery key.
 */
const takeDid = Effect.fnUntraced(function* (did: string, key: RecoveryKey, way: WayKey) {
  const { last, data, undoes } = yield* baseFor(did, key.didKey)
  if (undoes === undefined && data.verificationMethods["atproto"] === way.didKey) return
  const verificationMethods = { ...data.verificationMethods, atproto: way.didKey }
  yield* submitPlc(did, signedWith(key, last, { verificationMethods }))
  if (undoes !== undefined) {
    yield* note(`Undid the changes since ${undoes} that had removed your key`)
  }
  yield* note("Your recovery key now controls the identity")
})

/** Lists the blobs that will be missing, before anything changes. */
const tellLost = Effect.fnUntraced(function* ({ folder, blobs }: Backup) {
  const kept = folder === undefined ? new Map<string, string>() : yield* folder.blobs
  const lost = [...blobs].filter((cid) => !kept.has(cid)).length
  if (lost > 0) yield* note(`${lost} of ${blobs.size} blobs are missing from the backup`)
})

/**
 * Points the DID to the new server; keeps keys above the recovery key, removes those of the old
 * server.
 */
const giveDid = Effect.fnUntraced(function* ({ did, key, to }: Recovery) {
  const { last, data } = yield* plcLogOf(did)
  const mine = data.rotationKeys.slice(0, data.rotationKeys.indexOf(key.didKey) + 1)
  const operation = signedWith(key, last, yield* wantedData(did, to, mine))
  yield* procedure(to, "com.atproto.identity.submitPlcOperation", Schema.Unknown, { operation })
})

/** Takes every step that is not done yet. */
const takeRecovery = Effect.fnUntraced(function* (recovery: Recovery) {
  const { did, backup, way, to } = recovery
  const { folder, commit } = backup
  const moved = hasMoved({ did, to })
  return yield* takeSteps(
    [
      {
        name: "records",
        title: "Restore records",
        isDone: Effect.flatMap(moved, (done) =>
          done
            ? Effect.succeed(true)
            : Effect.map(treeAt(to, did), (tree) => tree === commit.data.toString())
        ),
        run: Effect.gen(function* () {
          yield* sendCar(to, yield* signedAnew(backup, Redacted.value(way.secret)))
        })
      },
      {
        name: "blobs",
        title: "Restore blobs",
        isDone: Effect.gen(function* () {
          const kept = folder === undefined ? new Set<string>() : yield* folder.blobs
          return (yield* listMissingBlobs(to)).every((cid) => !kept.has(cid))
        }),
        run: folder === undefined ? Effect.void : Effect.asVoid(importBlobs(to, folder))
      },
      {
        name: "identity",
        title: "Point your identity at the new server",
        isDone: moved,
        run: Effect.gen(function* () {
          const preferences = yield* folder === undefined ? Effect.undefined : folder.preferences
          if (preferences !== undefined)
            yield* putPreferences(to, yield* preferencesFrom(preferences))
          yield* giveDid(recovery)
        })
      },
      {
        name: "activation",
        title: "Activate the account",
        isDone: Effect.map(accountStatusAt(to), ({ activated }) => activated),
        run: procedure(to, "com.atproto.server.activateAccount", Schema.Unknown)
      }
    ],
    undefined
  )
})

/** `nacre recover`: restores an account whose old server is gone or doesn't cooperate. */
export const recover = Command.make(
  "recover",
  {
    backup: Argument.String("backup").pipe(
      Argument.withDescription(
        "A folder created by nacre export, an archive of the account's page (.zip), or a repo's CAR file"
      )
    ),
    recoveryKey: Flag.String("recovery-key").pipe(
      Flag.withMetavar("file"),
      Flag.withDescription("Your recovery key's file")
    ),
    handle: moveFlags.handle,
    email: moveFlags.email,
    invite: moveFlags.invite,
    yes: yesFlag
  },
  Effect.fnUntraced(
    function* (given) {
      const server = yield* theServer
      const backup = yield* openBackup(given.backup)
      const { did } = backup.commit
      if (didMethod(did) !== "plc") {
        return yield* new Failed({
          message: `${did} is a did:web, which has no recovery key. Change its document on its domain instead`
        })
      }
      const key = yield* readRecoveryKey(given.recoveryKey)
      const { data, states, undoes } = yield* baseFor(did, key.didKey)
      yield* assertSignedBy(
        backup,
        states.flatMap((state) => state.verificationMethods["atproto"] ?? [])
      )
      const way = wayKeyOf(key, did)
      yield* tellLost(backup)
      if (undoes !== undefined || (yield* standingAt({ server }, did)) === undefined) {
        yield* insist(
          `Move ${did} to ${server}, with its data as of ${backup.commit.rev}?`,
          given.yes
        )
        yield* takeDid(did, key, way)
      }
      const before = claimedHandle(data.alsoKnownAs) ?? "account"
      // The old server's domains are unknown, so the owner gives a domain with --handle.
      const handle = yield* handleAt(server, { handle: before, oldDomains: [""] }, given.handle)
      const { did: audience } = yield* hostOf(server)
      const to = yield* arrive(server, {
        did,
        handle,
        email: Option.getOrUndefined(given.email),
        invite: given.invite,
        token: tokenOf(way, did, audience)
      })
      const steps = yield* takeRecovery({ did, backup, key, way, to })
      yield* tellMoved({ did, from: undefined, to }, steps)
    },
    Effect.scoped,
    longWay
  )
).pipe(
  Command.withDescription(
    "Restore an account on --server from a backup and your recovery key, when its old server is gone or won't let you move.\n\n" +
      "Changes the identity twice: first to a signing key derived from your recovery key, then to --server. " +
      "Resumable: run it again to continue. NACRE_NEW_PASSWORD is the password on the new server."
  ),
  Command.withShortDescription(
    "Restore an account from a backup and its recovery key, without its old server"
  ),
  Command.withExamples([
    {
      command:
        "nacre recover alice-backup --recovery-key alice.key --server https://pds.example.com",
      description: "From a folder created by nacre export"
    },
    {
      command: "nacre recover alice.car --recovery-key alice.key --handle alice.example.org --yes",
      description: "From a CAR file alone, without blobs and preferences"
    }
  ])
)
