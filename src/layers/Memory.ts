import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as EdgeMemory from "../services/EdgeMemory.ts"
import { Relays } from "../services/Relays.ts"
import { Sequencer } from "../services/Sequencer.ts"
import type { AccountApp } from "./AccountApp.ts"
import * as AccountsMemory from "./AccountsMemory.ts"
import * as BackgroundMemory from "./BackgroundMemory.ts"
import * as BlobStoreMemory from "./BlobStoreMemory.ts"
import * as ConfigEnv from "./ConfigEnv.ts"
import * as EdgeCacheMemory from "./EdgeCacheMemory.ts"
import * as HostDatabaseNode from "./HostDatabaseNode.ts"
import * as hostServices from "./hostServices.ts"
import * as hostTables from "./hostTables.ts"
import * as LimiterMemory from "./LimiterMemory.ts"
import * as mailers from "./mailers.ts"
import * as relays from "./relays.ts"
import * as RelaysNone from "./RelaysNone.ts"
import * as SequencerMemory from "./SequencerMemory.ts"
import * as SqlStorageNode from "./SqlStorageNode.ts"

/** The whole host in this process: the log, to connect sockets to, and the services of the HTTP app. */
export const make = (app: AccountApp, env: Readonly<Record<string, string | undefined>>) =>
  Effect.gen(function* () {
    // Built in the caller's scope: the log's database stays open as long as the server.
    const sql = yield* Layer.build(SqlStorageNode.layer(":memory:"))
    // Where the configuration cannot be used, every answer says so; until then nobody is asked.
    const asked = yield* Effect.provide(Relays, relays.layer(ConfigEnv.layer(env))).pipe(
      Effect.catchCause(() => Effect.provide(Relays, RelaysNone.layer))
    )
    const log = Context.add(sql, Relays, asked)
    const sequencer = yield* Effect.provide(SequencerMemory.make, log)
    const base = Layer.mergeAll(
      Layer.succeed(Sequencer, sequencer.service),
      hostTables.layer.pipe(Layer.provideMerge(HostDatabaseNode.layer(":memory:"))),
      BlobStoreMemory.layer,
      LimiterMemory.layer,
      mailers.layer(),
      BackgroundMemory.layer
    ).pipe(Layer.provideMerge(ConfigEnv.layer(env)))
    const services = hostServices.layer.pipe(
      Layer.provideMerge(AccountsMemory.layer(app)),
      Layer.provideMerge(EdgeMemory.layer.pipe(Layer.provide(EdgeCacheMemory.layer))),
      Layer.provideMerge(base)
    )
    return { sequencer, services }
  })
