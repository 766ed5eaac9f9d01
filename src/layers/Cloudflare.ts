import { DurableObject, waitUntil } from "cloudflare:workers"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Catalog } from "../core/lexicon/Catalog.ts"
import { builtIn } from "../core/lexicon/Lexicons.ts"
import { Config, type DataLocation, Misconfigured } from "../services/host/Config.ts"
import { KnownLexicons } from "../services/host/KnownLexicons.ts"
import type { BlobStore } from "../services/blobs/BlobStore.ts"
import type { Mailer } from "../services/mail/Mailer.ts"
import * as PublicCache from "../services/edge/PublicCache.ts"
import type { AccountStub } from "./objects/AccountsObject.ts"
import * as AccountsObject from "./objects/AccountsObject.ts"
import type { AccountApp, AccountBase, FailureCodec } from "./objects/AccountApp.ts"
import { accountClass } from "./objects/Account.ts"
import { buildAlone } from "./objects/buildAlone.ts"
import * as BackgroundDurable from "./host/BackgroundDurable.ts"
import { missingBindings } from "./host/bindings.ts"
import * as backupTargets from "./backups/backupTargets.ts"
import * as BlobStoreR2 from "./blobs/BlobStoreR2.ts"
import * as DiskBinding from "./host/DiskBinding.ts"
import * as EdgeCacheWorkers from "./edge/EdgeCacheWorkers.ts"
import { streamRetentionOf } from "./host/ConfigEnv.ts"
import * as ConfigWorker from "./host/ConfigWorker.ts"
import * as HostDatabaseD1 from "./host/sql/HostDatabaseD1.ts"
import * as hostServices from "./host.ts"
import * as hostTables from "./host/sql/hostTables.ts"
import * as LimiterObject from "./objects/Limiter.ts"
import { counted } from "./mail/MailerCounted.ts"
import * as RequestMetricsAnalytics from "./operators/RequestMetricsAnalytics.ts"
import * as mailers from "./mail/mailers.ts"
import type { Relays } from "../services/stream/Relays.ts"
import * as relays from "./stream/relays.ts"
import { relaysIfAny } from "./stream/sequencerReports.ts"
import * as SequencerObject from "./stream/SequencerObject.ts"
import { sequencerClass } from "./objects/Sequencer.ts"
import * as SqlStorageDurable from "./host/sql/SqlStorageDurable.ts"

/** A Worker's own layers, which replace the server's. */
export interface OwnLayers {
  readonly blobStore?: Layer.Layer<BlobStore, never, Config>
  readonly mailer?: Layer.Layer<Mailer, never, Config>
}

/** A Worker's own parts; see createNacre. */
export interface Own extends OwnLayers {
  readonly lexicons?: Catalog
}

/** The key of a Worker's own parts; as a symbol it can't collide with a binding. */
export const own: unique symbol = Symbol("nacre/own")

/** The bindings of wrangler.toml; all other variables are configuration. */
export interface Env {
  readonly [own]?: Own
  readonly ACCOUNT: DurableObjectNamespace
  readonly SEQUENCER: DurableObjectNamespace
  readonly LIMITER: DurableObjectNamespace
  readonly DIRECTORY: D1Database
  readonly BLOBS: R2Bucket
  /** Only with backups in an R2 bucket. */
  readonly BACKUPS?: R2Bucket
  /** Only with Cloudflare as mail provider. */
  readonly MAIL?: SendEmail
  /** Only with a dataset of Analytics Engine. */
  readonly METRICS?: AnalyticsEngineDataset
  /** Only on a local server: reports the free bytes of its disk. */
  readonly DISK?: Fetcher
  readonly [variable: string]: unknown
}

/** How many objects' ids are cached: computing one takes a digest. */
const idsKept = 1000

/**
 * Addresses an object by name in the data's location: jurisdiction and hint are part of the
 * address.
 */
const objectOf = (namespace: DurableObjectNamespace, location: DataLocation | undefined) => {
  const within =
    location !== undefined && "jurisdiction" in location
      ? namespace.jurisdiction(location.jurisdiction)
      : namespace
  const options =
    location !== undefined && "hint" in location ? { locationHint: location.hint } : {}
  const ids = new Map<string, DurableObjectId>()
  return (name: string): DurableObjectStub => {
    let id = ids.get(name)
    if (id === undefined) {
      if (ids.size >= idsKept) ids.clear()
      ids.set(name, (id = within.idFromName(name)))
    }
    return within.get(id, options)
  }
}

// A stub has every public method of its object's class, which the platform's types don't know here.
const sequencer = (env: Env) =>
  Layer.unwrap(
    Effect.map(Config, ({ dataLocation }) => {
      const stub = objectOf(env.SEQUENCER, dataLocation)
      // SAFETY: the namespace is bound to the Sequencer class in wrangler.toml.
      return SequencerObject.layer(
        () => stub("sequencer") as unknown as SequencerObject.SequencerStub
      )
    })
  )

/** The accounts in their objects. */
const accounts = (env: Env, failures: FailureCodec) =>
  Layer.unwrap(
    Effect.map(Config, ({ dataLocation }) => {
      const stub = objectOf(env.ACCOUNT, dataLocation)
      // SAFETY: the namespace is bound to the Account class in wrangler.toml.
      return AccountsObject.layer((did) => stub(did) as unknown as AccountStub, failures)
    })
  )

/** The network's lexicons, with the Worker's own. */
const lexicons = (env: Env) => Layer.succeed(KnownLexicons, env[own]?.lexicons ?? builtIn)

/** The blob store in R2; doesn't access the binding before its first use. */
export const r2BlobStore = (env: Env): Layer.Layer<BlobStore, never, Config> =>
  BlobStoreR2.layer(env.BLOBS)

const blobStore = (env: Env) => env[own]?.blobStore ?? r2BlobStore(env)

/** The configured mailer, with Cloudflare's binding if the configuration names it. */
export const configuredMailer = (env: Env): Layer.Layer<Mailer, never, Config> =>
  mailers.layer(env.MAIL)

const mailer = (env: Env) => counted(env[own]?.mailer ?? configuredMailer(env))

const makeAccountBase = (env: Env, failures: FailureCodec): Layer.Layer<AccountBase> =>
  Layer.mergeAll(
    hostTables.layer.pipe(Layer.provide(HostDatabaseD1.layer(env.DIRECTORY))),
    blobStore(env),
    mailer(env),
    accounts(env, failures),
    sequencer(env)
  ).pipe(
    Layer.provideMerge(Layer.orDie(ConfigWorker.layer(env))),
    Layer.provideMerge(lexicons(env))
  )

/** By environment; only built services, since one object can't wait for another's promise. */
const accountBases = new WeakMap<Env, Context.Context<AccountBase>>()

/**
 * The services that all accounts' objects of an isolate share; the first object builds them.
 *
 * Building them takes most of an object's start, and they take most of its memory.
 */
const accountBase = (failures: FailureCodec) => ({
  built: (env: Env) => accountBases.get(env),
  build: (env: Env) =>
    Effect.tap(buildAlone(makeAccountBase(env, failures), Scope.makeUnsafe()), (made) =>
      Effect.sync(() => accountBases.set(env, made))
    )
})

/** The Account class for an account's HTTP app. */
export const account = (app: AccountApp) => accountClass<Env>(app, accountBase(app.failures))

/** The relays by environment, which an object that wakes again needn't build. */
const relaysMet = new WeakMap<Env, Relays["Service"]>()

const meetRelays = async (env: Env): Promise<Relays["Service"] | undefined> => {
  const known = relaysMet.get(env)
  if (known !== undefined) return known
  const met = await Effect.runPromise(relaysIfAny(relays.layer(ConfigWorker.layer(env))))
  if (met !== undefined) relaysMet.set(env, met)
  return met
}

/** How long events are kept, by environment. */
const retentions = new WeakMap<Env, number>()

const retentionOf = (env: Env): number => {
  const retention = retentions.get(env) ?? streamRetentionOf(env)
  retentions.set(env, retention)
  return retention
}

/** The Sequencer class. */
export const sequencerObject = sequencerClass(
  meetRelays,
  (env: Env) => env["RATE_LIMITS"] !== "off",
  retentionOf
)

/** The Limiter class. */
export class LimiterDurable extends DurableObject<Env> {
  readonly #limiter = LimiterObject.makeObject(SqlStorageDurable.make(this.ctx.storage), {
    get: () => this.ctx.storage.getAlarm(),
    set: (time) => this.ctx.storage.setAlarm(time)
  })

  take(taking: LimiterObject.LimiterTaking): Promise<LimiterObject.LimiterAnswer> {
    return this.#limiter.take(taking)
  }

  override alarm(): Promise<void> {
    return this.#limiter.prune(Date.now())
  }
}

/** The platform has no cache for names under workers.dev. */
const edge = Layer.unwrap(
  Effect.map(Config, ({ host }) =>
    host.endsWith(".workers.dev")
      ? PublicCache.layerNone
      : PublicCache.layer.pipe(Layer.provide(EdgeCacheWorkers.layer))
  )
)

/** A Worker's settings, with every required binding; lists all problems. */
const checkedConfig = (env: Env): Layer.Layer<Config, Misconfigured> => {
  const missing = missingBindings(env, {
    brings: env[own]?.blobStore === undefined ? [] : ["BLOBS"]
  })
  if (missing.length === 0) return ConfigWorker.layer(env)
  return Layer.effect(
    Config,
    Effect.provide(Config, ConfigWorker.layer(env)).pipe(
      Effect.matchEffect({
        onSuccess: () => Effect.fail(new Misconfigured({ problems: missing })),
        onFailure: ({ problems }) =>
          Effect.fail(new Misconfigured({ problems: [...missing, ...problems] }))
      })
    )
  )
}

/** Whether the Worker's services build asynchronously, because a Secrets Store must be read. */
export const isWaitedFor: (env: Env) => boolean = ConfigWorker.isWaitedFor

/** The Worker's services; fails if the configuration is invalid. */
export const host = (env: Env, failures: FailureCodec) => {
  const config = checkedConfig(env)
  const limiter = Layer.unwrap(
    Effect.map(Config, ({ dataLocation, masterKey }) => {
      const stub = objectOf(env.LIMITER, dataLocation)
      return LimiterObject.layer(
        // SAFETY: the namespace is bound to this class in wrangler.toml.
        (shard) => stub(shard) as unknown as LimiterObject.LimiterStub,
        masterKey
      )
    })
  )
  const base = Layer.mergeAll(
    accounts(env, failures),
    limiter,
    sequencer(env),
    hostTables.layer.pipe(Layer.provideMerge(HostDatabaseD1.layer(env.DIRECTORY))),
    blobStore(env),
    mailer(env),
    BackgroundDurable.layer({ waitUntil }),
    backupTargets.layer(env.BACKUPS),
    DiskBinding.layer(env.DISK),
    RequestMetricsAnalytics.layer(env.METRICS)
  ).pipe(Layer.provideMerge(config))
  return hostServices.layer.pipe(
    Layer.provideMerge(edge),
    Layer.provideMerge(base),
    Layer.provideMerge(lexicons(env))
  )
}
