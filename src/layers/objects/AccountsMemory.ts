import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { Alarm } from "../../services/host/Alarm.ts"
import { Accounts, AccountUnavailable } from "../../services/accounts/Accounts.ts"
import { runCall } from "../../services/accounts/AccountCalls.ts"
import { onAlarm } from "../../services/accounts/onAlarm.ts"
import { inTrace } from "../../services/operators/Traces.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import {
  PointInTime,
  type PointInTimeShape
} from "../../services/backups/pointInTime/PointInTime.ts"
import type { AccountApp, AccountBase, AccountServices } from "./AccountApp.ts"
import * as accountServices from "../account.ts"
import { dropTables } from "../accounts/AccountStoreSqlite.ts"
import * as AlarmMemory from "../host/AlarmMemory.ts"
import * as BackgroundMemory from "../host/BackgroundMemory.ts"
import * as SqlStorageNode from "../host/sql/SqlStorageNode.ts"
import { buildAlone } from "./buildAlone.ts"

/** The defect of a call whose object restarted. */
export class ObjectRestarted extends Error {}

/** A platform's way back for an account with its database; `forget` ends the object's memory. */
export type WayBack = (
  did: string,
  sql: SqlStorage["Service"],
  forget: () => void
) => PointInTimeShape

/**
 * The accounts in this process, each with its own database in memory and the services of an
 * account's object.
 */
export const layer = (
  app: AccountApp,
  wayBack?: WayBack
): Layer.Layer<Accounts, never, Exclude<AccountBase, Accounts>> =>
  Layer.effect(
    Accounts,
    Effect.gen(function* () {
      const shared = yield* Effect.context<Exclude<AccountBase, Accounts>>()
      const parent = yield* Scope.Scope
      const objects = new Map<string, Context.Context<AccountServices>>()

      /** Databases that outlive their objects, which restart. */
      const databases = new Map<string, SqlStorage["Service"]>()

      const databaseOf = Effect.fnUntraced(function* (did: string, scope: Scope.Scope) {
        const known = databases.get(did)
        if (known !== undefined) return known
        const within = wayBack === undefined ? scope : parent
        const made = yield* Layer.buildWithScope(SqlStorageNode.layer(":memory:"), within)
        const sql = Context.get(made, SqlStorage)
        if (wayBack !== undefined) databases.set(did, sql)
        return sql
      })

      const build = Effect.fnUntraced(function* (did: string, scope: Scope.Scope) {
        const sql = yield* databaseOf(did, scope)
        const atAlarm = Effect.suspend(() => {
          const services = objects.get(did)
          return services === undefined ? Effect.void : Effect.provide(onAlarm, services)
        })
        const alarm = yield* AlarmMemory.make(atAlarm).pipe(Scope.provide(scope))
        const own = Layer.mergeAll(
          Layer.succeed(SqlStorage, sql),
          Layer.succeed(Alarm, alarm.service),
          BackgroundMemory.layer,
          Layer.succeed(
            PointInTime,
            wayBack?.(did, sql, () => void objects.delete(did))
          )
        )
        const parts = Layer.merge(own, Layer.succeedContext(Context.add(shared, Accounts, all)))
        const wipe: Effect.Effect<void> = Effect.suspend(() => {
          dropTables(sql)
          // The services before remember what was deleted.
          return Effect.map(begin, (services) => void objects.set(did, services))
        })
        const layers = accountServices.layer({ did, wipe }).pipe(Layer.provideMerge(parts))
        const begin = buildAlone(layers, scope)
        return yield* begin
      })

      /** Runs in the object of a DID; discards the object if it contains no account afterwards. */
      const within = <A, E>(did: string, effect: Effect.Effect<A, E, AccountServices>) =>
        Effect.gen(function* () {
          const known = objects.get(did)
          if (known !== undefined) return yield* Effect.provide(inTrace(effect), known)
          const scope = yield* Scope.fork(parent)
          const services = yield* build(did, scope)
          objects.set(did, services)
          return yield* Effect.onExit(Effect.provide(inTrace(effect), services), (exit) => {
            const present = objects.get(did) ?? services
            if (Context.get(present, AccountStore).peek() !== undefined) return Effect.void
            objects.delete(did)
            return Scope.close(scope, exit)
          })
        })

      const all = Accounts.of({
        forward: (did, request) => within(did, app.serve(request)),
        call: (did, method, ...input) => {
          const called = within(did, runCall(method, ...input))
          if (wayBack === undefined) return called
          // To its caller, a restart looks like a crash.
          return Effect.catchDefect(called, (defect) =>
            defect instanceof ObjectRestarted
              ? Effect.fail(new AccountUnavailable({ operation: method, did }))
              : Effect.die(defect)
          )
        }
      })
      return all
    })
  )
