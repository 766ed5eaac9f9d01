import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Catalog } from "../core/lexicon/Catalog.ts"
import { builtIn } from "../core/lexicon/Lexicons.ts"
import { KnownLexicons } from "../services/host/KnownLexicons.ts"
import type { SendMail } from "./mail/MailerWorker.ts"
import * as PublicCache from "../services/edge/PublicCache.ts"
import { BackupTarget, type BackupTargetShape } from "../services/backups/BackupTarget.ts"
import { Relays } from "../services/stream/Relays.ts"
import { Sequencer } from "../services/stream/Sequencer.ts"
import type { AccountApp } from "./objects/AccountApp.ts"
import * as AccountsMemory from "./objects/AccountsMemory.ts"
import * as BackgroundMemory from "./host/BackgroundMemory.ts"
import * as backupTargets from "./backups/backupTargets.ts"
import * as BlobStoreMemory from "./blobs/BlobStoreMemory.ts"
import * as ConfigEnv from "./host/ConfigEnv.ts"
import * as EdgeCacheMemory from "./edge/EdgeCacheMemory.ts"
import * as HostDatabaseNode from "./host/sql/HostDatabaseNode.ts"
import * as hostServices from "./host.ts"
import * as hostTables from "./host/sql/hostTables.ts"
import * as LimiterMemory from "./limits/LimiterMemory.ts"
import * as mailers from "./mail/mailers.ts"
import * as relays from "./stream/relays.ts"
import * as RelaysOutgoing from "./stream/RelaysOutgoing.ts"
import * as SequencerMemory from "./stream/SequencerMemory.ts"
import * as SqlStorageNode from "./host/sql/SqlStorageNode.ts"

/** The whole host in this process: its log, for connecting sockets, and the HTTP app's services. */
export const make = (
  app: AccountApp,
  env: Readonly<Record<string, string | undefined>>,
  own: {
    readonly lexicons?: Catalog
    readonly mailer?: SendMail
    readonly backups?: BackupTargetShape
  } = {}
) =>
  Effect.gen(function* () {
    // Built in the caller's scope: the log's database stays open as long as the server.
    const sql = yield* Layer.build(SqlStorageNode.layer(":memory:"))
    // An invalid configuration makes every response an error, so until then no relay is called.
    const asked = yield* Effect.provide(Relays, relays.layer(ConfigEnv.layer(env))).pipe(
      Effect.catchCause(() => Effect.provide(Relays, RelaysOutgoing.layerNone))
    )
    const log = Context.add(sql, Relays, asked)
    const sequencer = yield* Effect.provide(
      SequencerMemory.makeWith(ConfigEnv.streamRetentionOf(env)),
      log
    )
    const base = Layer.mergeAll(
      Layer.succeed(Sequencer, sequencer.service),
      hostTables.layer.pipe(Layer.provideMerge(HostDatabaseNode.layer(":memory:"))),
      BlobStoreMemory.layer,
      LimiterMemory.layer,
      mailers.layer(undefined, own.mailer),
      BackgroundMemory.layer,
      own.backups === undefined
        ? backupTargets.layer(undefined)
        : Layer.succeed(BackupTarget, own.backups)
    ).pipe(
      Layer.provideMerge(ConfigEnv.layer(env)),
      Layer.provideMerge(Layer.succeed(KnownLexicons, own.lexicons ?? builtIn))
    )
    const services = hostServices.layer.pipe(
      Layer.provideMerge(AccountsMemory.layer(app)),
      Layer.provideMerge(PublicCache.layer.pipe(Layer.provide(EdgeCacheMemory.layer))),
      Layer.provideMerge(base)
    )
    return { sequencer, services }
  })
