import { createHash } from "node:crypto"
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { Alarm } from "../../services/host/Alarm.ts"
import { diskFaultOf } from "../../core/host/diskFault.ts"
import { Accounts, unavailable } from "../../services/accounts/Accounts.ts"
import { Background } from "../../services/host/Background.ts"
import { runCall } from "../../services/accounts/AccountCalls.ts"
import { onAlarm } from "../../services/accounts/onAlarm.ts"
import { inTrace } from "../../services/operators/Traces.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import { Sequencer } from "../../services/stream/Sequencer.ts"
import type { AccountApp, AccountBase, AccountServices } from "./AccountApp.ts"
import * as accountServices from "../account.ts"
import type { Alarms } from "../host/AlarmsSqlite.ts"
import * as BackgroundMemory from "../host/BackgroundMemory.ts"
import * as SqlStorageFile from "../host/sql/SqlStorageFile.ts"
import { buildAlone } from "./buildAlone.ts"
import { untilRead } from "./untilRead.ts"

/** The options of the accounts on one machine. */
export interface AccountsFilesOptions {
  /** The folder of their databases. */
  readonly folder: string
  readonly alarms: Alarms
  /** Databases that stay open; the one used longest ago is closed first. */
  readonly mostOpen: number
  /** Whether the commits of an account's repo share syncs, which its responses wait for. */
  readonly sharesSyncs?: boolean
}

/** The file of an account: a DID may be longer than a file's name. */
export const fileOf = (folder: string, did: string): string => {
  const name = createHash("sha256").update(did).digest("hex")
  return join(folder, name.slice(0, 2), `${name}.sqlite`)
}

/**
 * An object's defect as its caller on Cloudflare sees it, so a damaged file stops no other account.
 *
 * The log names the file. A disk that takes no more is the whole server's fault, and stays a defect.
 */
const contained =
  (operation: string, did: string, file: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.catchDefect(effect, (defect) =>
      diskFaultOf(defect) === undefined
        ? Effect.annotateLogs(unavailable(operation, did, defect), { file })
        : Effect.die(defect)
    )

/** How long background work may take to end when the server stops. */
const lastWork = "5 seconds"

/** An account's object while it is awake. */
interface Awake {
  /** New ones after the account's deletion, since these remember it. */
  services: Context.Context<AccountServices>
  readonly sleep: Effect.Effect<void>
  /** Waits until every commit so far is on the disk: what leaves the object must not be lost. */
  readonly synced: Effect.Effect<void>
  /** Requests, streams and background work that need it open. */
  uses: number
}

/** An object, or the promise that a change of its state has ended. */
type State = Awake | Deferred.Deferred<void>

const isAwake = (state: State): state is Awake => "uses" in state

/**
 * The accounts of one machine, each with a database file of its own and the services of an
 * account's object.
 *
 * One object is built for each DID at a time, and stays open while anybody uses it.
 */
export const layer = (
  app: AccountApp,
  { folder, alarms, mostOpen, sharesSyncs = false }: AccountsFilesOptions
): Layer.Layer<Accounts, never, Exclude<AccountBase, Accounts>> =>
  Layer.effect(
    Accounts,
    Effect.gen(function* () {
      const shared = yield* Effect.context<Exclude<AccountBase, Accounts>>()
      // Closed after the alarms, which are started last.
      const parent = yield* Scope.fork(yield* Scope.Scope)
      /** In the order of their last use. */
      const states = new Map<string, State>()
      /** How many of them are being closed. */
      let closing = 0

      const build = Effect.fnUntraced(function* (did: string) {
        const scope = yield* Scope.fork(parent)
        const file = SqlStorageFile.make(fileOf(folder, did), { sharesSyncs })
        yield* Scope.addFinalizer(scope, Effect.sync(file.close))
        const background = yield* Effect.provideService(BackgroundMemory.make, Scope.Scope, scope)
        yield* Scope.addFinalizer(scope, Effect.ignore(Effect.timeout(background.idle, lastWork)))
        const awake = { uses: 0, synced: file.synced, sleep: Scope.close(scope, Exit.void) }
        const { append, ...log } = Context.get(shared, Sequencer)
        const sequencer = Sequencer.of({
          ...log,
          append: (did, events) => Effect.andThen(file.synced, append(did, events))
        })
        const own = Layer.mergeAll(
          Layer.succeed(SqlStorage, file.service),
          Layer.succeed(Alarm, alarms.of(did)),
          Layer.succeed(
            Background,
            Background.of({
              run: (work) =>
                Effect.suspend(() => {
                  awake.uses += 1
                  return background.service.run(
                    Effect.ensuring(
                      work,
                      Effect.sync(() => void (awake.uses -= 1))
                    )
                  )
                })
            })
          )
        )
        const wipe: Effect.Effect<void> = Effect.suspend(() => {
          alarms.forget(did)
          file.wipe()
          return begin
        })
        const parts = Layer.merge(
          own,
          Layer.succeedContext(
            shared.pipe(Context.add(Accounts, all), Context.add(Sequencer, sequencer))
          )
        )
        const layers = accountServices.layer({ did, wipe }).pipe(Layer.provideMerge(parts))
        const begin = Effect.map(buildAlone(layers, scope), (services) =>
          Object.assign(awake, { services })
        )
        return yield* begin
      })

      /** Changes a DID's state; others wait until it has one again. */
      const changing = <A>(did: string, change: Effect.Effect<A>) =>
        Effect.gen(function* () {
          const changed = Deferred.makeUnsafe<void>()
          states.delete(did)
          states.set(did, changed)
          return yield* Effect.onExit(change, () =>
            Effect.sync(() => {
              if (states.get(did) === changed) states.delete(did)
              Deferred.doneUnsafe(changed, Exit.void)
            })
          )
        }).pipe(Effect.uninterruptible)

      /** Closes an object, unless somebody has begun to use it since this was planned. */
      const letSleep = (did: string, awake: Awake) =>
        Effect.suspend(() => {
          if (awake.uses > 0 || states.get(did) !== awake) return Effect.void
          closing += 1
          const close = Effect.ensuring(
            awake.sleep,
            Effect.sync(() => void (closing -= 1))
          )
          return changing(did, close)
        })

      /** Closes what nobody uses, the longest unused first. */
      const makeRoom = Effect.suspend(() => {
        const idle: Array<Effect.Effect<void>> = []
        let surplus = states.size - closing - mostOpen
        for (const [did, state] of states) {
          if (surplus <= 0) break
          if (!isAwake(state) || state.uses > 0) continue
          surplus -= 1
          idle.push(letSleep(did, state))
        }
        return Effect.all(idle, { discard: true })
      })

      const wake = (did: string): Effect.Effect<Awake> =>
        changing(
          did,
          Effect.tap(build(did), (awake) =>
            Effect.sync(() => {
              awake.uses += 1
              states.set(did, awake)
            })
          )
        ).pipe(Effect.tap(() => makeRoom))

      const take = (did: string): Effect.Effect<Awake> =>
        Effect.suspend(() => {
          const state = states.get(did)
          if (state === undefined) return wake(did)
          if (!isAwake(state)) return Effect.andThen(Deferred.await(state), take(did))
          state.uses += 1
          states.delete(did)
          states.set(did, state)
          return Effect.succeed(state)
        })

      /** Whether an object holds an account; false if its file is damaged. */
      const hasAccount = ({ services }: Awake): boolean => {
        try {
          return Context.get(services, AccountStore).peek() !== undefined
        } catch {
          return false
        }
      }

      /** Ends a use; an object without an account, or with a damaged one, is closed at once. */
      const give = (did: string, awake: Awake): Effect.Effect<void> =>
        Effect.suspend(() => {
          awake.uses -= 1
          const isNeeded = awake.uses > 0 || states.get(did) !== awake || hasAccount(awake)
          if (!isNeeded) return letSleep(did, awake)
          return states.size > mostOpen ? makeRoom : Effect.void
        })

      const within = <A, E>(did: string, effect: Effect.Effect<A, E, AccountServices>) =>
        Effect.acquireUseRelease(
          take(did),
          ({ services, synced }) =>
            Effect.ensuring(Effect.provide(inTrace(effect), services), synced),
          (awake) => give(did, awake)
        )

      /** A response that still reads from the object keeps it open until its end. */
      const forward = (did: string, request: Request) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            const awake = yield* take(did)
            const end = Effect.suspend(() => give(did, awake))
            const response = yield* restore(
              Effect.provide(inTrace(app.serve(request)), awake.services).pipe(
                Effect.ensuring(awake.synced)
              )
            ).pipe(Effect.onError(() => end))
            const streaming = untilRead(response, () => Effect.runFork(end))
            if (streaming === undefined) yield* end
            return streaming ?? response
          })
        )

      const all = Accounts.of({
        forward: (did, request) =>
          forward(did, request).pipe(contained("forward", did, fileOf(folder, did))),
        call: (did, method, ...input) =>
          within(did, runCall(method, ...input)).pipe(contained(method, did, fileOf(folder, did)))
      })
      yield* alarms.start((did) => within(did, onAlarm))
      return all
    })
  )
