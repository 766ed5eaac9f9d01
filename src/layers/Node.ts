import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Catalog } from "../core/lexicon/Catalog.ts"
import { builtIn } from "../core/lexicon/Lexicons.ts"
import type { Accounts } from "../services/accounts/Accounts.ts"
import { BackupTarget, type BackupTargetShape } from "../services/backups/BackupTarget.ts"
import type { BlobStore } from "../services/blobs/BlobStore.ts"
import type { PublicCache } from "../services/edge/PublicCache.ts"
import type { Directory } from "../services/accounts/Directory.ts"
import type { Background } from "../services/host/Background.ts"
import type { Config } from "../services/host/Config.ts"
import { Disk, type DiskShape } from "../services/host/Disk.ts"
import { KnownLexicons } from "../services/host/KnownLexicons.ts"
import type { SqlStorage } from "../services/host/SqlStorage.ts"
import { Relays } from "../services/stream/Relays.ts"
import { Sequencer } from "../services/stream/Sequencer.ts"
import * as backupTargets from "./backups/backupTargets.ts"
import * as BackgroundMemory from "./host/BackgroundMemory.ts"
import * as ConfigEnv from "./host/ConfigEnv.ts"
import * as hostServices from "./host.ts"
import type { HostDatabase } from "./host/sql/HostDatabase.ts"
import * as hostTables from "./host/sql/hostTables.ts"
import * as LimiterMemory from "./limits/LimiterMemory.ts"
import { counted } from "./mail/MailerCounted.ts"
import * as mailers from "./mail/mailers.ts"
import type { SendMail } from "./mail/MailerWorker.ts"
import * as AdoptedTokensD1 from "./oauth/AdoptedTokensD1.ts"
import type { AccountBase } from "./objects/AccountApp.ts"
import * as relays from "./stream/relays.ts"
import * as RelaysOutgoing from "./stream/RelaysOutgoing.ts"
import * as SequencerMemory from "./stream/SequencerMemory.ts"

/** The environment of a server: its variables. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What differs between two homes in one Node process: where everything is kept. */
export interface Home {
  readonly stream: Layer.Layer<SqlStorage>
  readonly database: Layer.Layer<HostDatabase>
  readonly blobs: Layer.Layer<BlobStore, never, Config>
  readonly accounts: Layer.Layer<Accounts, never, Exclude<AccountBase, Accounts>>
  readonly disk?: DiskShape
  readonly cache: Layer.Layer<PublicCache, never, Background | Config | Directory>
}

/** A server's own parts; see createNacre. */
export interface Own {
  readonly lexicons?: Catalog
  readonly mailer?: SendMail
  readonly backups?: BackupTargetShape
}

/** The whole host in this process: its log, for connecting sockets, and the HTTP app's services. */
export const make = (env: Environment, home: Home, own: Own = {}) =>
  Effect.gen(function* () {
    // Built in the caller's scope: the log's database stays open as long as the server.
    const sql = yield* Layer.build(home.stream)
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
      Layer.merge(hostTables.layer, AdoptedTokensD1.layer).pipe(Layer.provideMerge(home.database)),
      home.blobs,
      LimiterMemory.layer,
      counted(mailers.layer(undefined, own.mailer)),
      BackgroundMemory.layer,
      Layer.succeed(Disk, home.disk),
      own.backups === undefined
        ? backupTargets.layer(undefined)
        : Layer.succeed(BackupTarget, own.backups)
    ).pipe(
      Layer.provideMerge(ConfigEnv.layer(env)),
      Layer.provideMerge(Layer.succeed(KnownLexicons, own.lexicons ?? builtIn))
    )
    const services = hostServices.layer.pipe(
      Layer.provideMerge(home.accounts),
      Layer.provideMerge(home.cache),
      Layer.provideMerge(base)
    )
    return { sequencer, services }
  })
