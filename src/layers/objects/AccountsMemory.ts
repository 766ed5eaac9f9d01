import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { Alarm } from "../../services/host/Alarm.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { runCall } from "../../services/accounts/AccountCalls.ts"
import { onAlarm } from "../../services/accounts/onAlarm.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import type { AccountApp, AccountBase, AccountServices } from "./AccountApp.ts"
import * as accountServices from "../account.ts"
import { dropTables } from "../accounts/AccountStoreSqlite.ts"
import * as AlarmMemory from "../host/AlarmMemory.ts"
import * as BackgroundMemory from "../host/BackgroundMemory.ts"
import * as SqlStorageNode from "../host/sql/SqlStorageNode.ts"

/**
 * The accounts in this process, each with its own database in memory and the services of an
 * account's object.
 */
export const layer = (
  app: AccountApp
): Layer.Layer<Accounts, never, Exclude<AccountBase, Accounts>> =>
  Layer.effect(
    Accounts,
    Effect.gen(function* () {
      const shared = yield* Effect.context<Exclude<AccountBase, Accounts>>()
      const parent = yield* Scope.Scope
      const objects = new Map<string, Context.Context<AccountServices>>()

      const build = Effect.fnUntraced(function* (did: string, scope: Scope.Scope) {
        const sql = Context.get(
          yield* Layer.buildWithScope(SqlStorageNode.layer(":memory:"), scope),
          SqlStorage
        )
        const atAlarm = Effect.suspend(() => {
          const services = objects.get(did)
          return services === undefined ? Effect.void : Effect.provide(onAlarm, services)
        })
        const alarm = yield* AlarmMemory.make(atAlarm).pipe(Scope.provide(scope))
        const own = Layer.mergeAll(
          Layer.succeed(SqlStorage, sql),
          Layer.succeed(Alarm, alarm.service),
          BackgroundMemory.layer
        )
        const services = accountServices
          .layer({ did, wipe: Effect.sync(() => dropTables(sql)) })
          .pipe(
            Layer.provideMerge(
              Layer.merge(own, Layer.succeedContext(Context.add(shared, Accounts, all)))
            )
          )
        return yield* Layer.buildWithScope(services, scope)
      })

      /** Runs in the object of a DID; discards the object if it contains no account afterwards. */
      const within = <A, E>(did: string, effect: Effect.Effect<A, E, AccountServices>) =>
        Effect.gen(function* () {
          const known = objects.get(did)
          if (known !== undefined) return yield* Effect.provide(effect, known)
          const scope = yield* Scope.fork(parent)
          const services = yield* build(did, scope)
          objects.set(did, services)
          return yield* Effect.onExit(Effect.provide(effect, services), (exit) => {
            if (Context.get(services, AccountStore).peek() !== undefined) return Effect.void
            objects.delete(did)
            return Scope.close(scope, exit)
          })
        })

      const all = Accounts.of({
        forward: (did, request) => within(did, app.serve(request)),
        call: (did, method, ...input) => within(did, runCall(method, ...input))
      })
      return all
    })
  )
