/**
 * `nacre/effect`: the server with layers of your own in place of its blob store and its mailer.
 *
 * Needs the exact version of `effect` that the package's peer dependencies name.
 */
import type * as Layer from "effect/Layer"
import * as Cloudflare from "./layers/Cloudflare.ts"
import { makeNacre } from "./makeNacre.ts"
import type { Nacre, NacreOptions } from "./options.ts"
import type { BlobStore } from "./services/blobs/BlobStore.ts"
import type { Config } from "./services/host/Config.ts"
import type { Mailer } from "./services/mail/Mailer.ts"

export { XrpcError } from "./http/host/ownMethod.ts"
export type {
  LexiconDocument,
  MethodAccess,
  MethodCall,
  MethodCaller,
  XrpcMethod
} from "./http/host/ownMethod.ts"
export type {
  BindingName,
  ConfigVariable,
  Nacre,
  NacreConfig,
  NacreObject,
  NacreObjectClass,
  NacreOptions,
  OutgoingMail,
  SiteHandler
} from "./options.ts"
export {
  type BlobBody,
  BlobEmpty,
  BlobIncomplete,
  BlobStore,
  BlobStoreBusy,
  BlobStoreUnavailable,
  BlobTooLarge,
  type ByteRange,
  type StoredBlob
} from "./services/blobs/BlobStore.ts"
export { Config, type Settings } from "./services/host/Config.ts"
export { type Mail, Mailer, MailNotSent } from "./services/mail/Mailer.ts"

/** The replaceable layers; each may use the server's Config. */
export interface NacreLayers {
  /** Stores blobs; replaces the `BLOBS` binding. */
  readonly blobStore: Layer.Layer<BlobStore, never, Config>
  /** Sends mail. */
  readonly mailer: Layer.Layer<Mailer, never, Config>
}

/** The options of `nacre`'s createNacre, with layers. */
export interface NacreLayerOptions<Env = Record<string, unknown>> extends Omit<
  NacreOptions<Env>,
  "mailer"
> {
  /** Layers that replace the server's own; `standard` contains those to wrap. */
  readonly layers?: (env: Env, standard: NacreLayers) => Partial<NacreLayers>
}

/**
 * Makes a server with your own layers, for a Worker to export.
 *
 * @example
 * const nacre = createNacre({
 *   layers: (env, standard) => ({
 *     mailer: Layer.succeed(Mailer, { delivers: true, send: ({ to }) => Effect.log("mail", { to }) }),
 *     blobStore: counting.pipe(Layer.provide(standard.blobStore))
 *   })
 * })
 */
export const createNacre = <Env extends object = Record<string, unknown>>({
  layers,
  ...options
}: NacreLayerOptions<Env> = {}): Nacre<Env> =>
  makeNacre(options, (env, bindings) => {
    if (layers === undefined) return {}
    return layers(env, {
      blobStore: Cloudflare.r2BlobStore(bindings),
      mailer: Cloudflare.configuredMailer(bindings)
    })
  })
