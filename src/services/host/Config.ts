import * as Context from "effect/Context"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Retention } from "../../core/backups/retention.ts"
import type { WebhookFormat } from "../../core/operators/alertMessages.ts"
import type {
  DataLocation,
  DeletionDelay,
  LogLevel,
  RateLimitMode,
  ServiceAddress
} from "../../core/host/settings.ts"

export type { DataLocation, ServiceAddress }

/** The pages' branding. */
export interface Brand {
  /** Replaces the hostname at the top of the pages. */
  readonly name: string | undefined
  readonly logoUrl: string | undefined
  /** The colour of buttons and links: `#rrggbb`. */
  readonly color: string | undefined
  /** The pages' background: `#rrggbb`, or a picture's URL. */
  readonly background: string | undefined
  /** Links in the pages' footer, before privacy policy and terms. */
  readonly links: ReadonlyArray<{ readonly label: string; readonly url: string }>
}

/**
 * How to send mail: not at all, to memory, with the Worker's own mailer, a provider's HTTP API, or
 * Cloudflare's binding `MAIL`.
 */
export type MailerSettings =
  | { readonly kind: "none" | "captured" | "worker" }
  | { readonly kind: "cloudflare"; readonly from: string }
  | {
      readonly kind: "http"
      readonly from: string
      readonly url: string
      readonly token: Redacted.Redacted<string>
    }

/** A bucket of an S3-compatible store. */
export interface S3Settings {
  /** `https://host/bucket` or `https://host/bucket/prefix`. */
  readonly url: string
  readonly keyId: string
  readonly secret: Redacted.Redacted<string>
  readonly region: string
}

/** Where the watch reports alerts. */
export interface AlertSettings {
  readonly email: string | undefined
  readonly webhook: Redacted.Redacted<string> | undefined
  /** Undefined to recognize it by the webhook's host. */
  readonly webhookFormat: WebhookFormat | undefined
}

/** The collector of traces. */
export interface TraceSettings {
  /** The address that takes them. */
  readonly url: string
  readonly headers: Redacted.Redacted<Readonly<Record<string, string>>>
  /** The part of requests that is traced, from 0 to 1. */
  readonly ratio: number
}

/** How long tokens and sessions live, in milliseconds. */
export interface Lifetimes {
  readonly accessToken: number
  /** A password session, after its last refresh. */
  readonly session: number
  readonly oauthAccessToken: number
  /** A public client's session, in total. */
  readonly oauthPublicSession: number
  /** A confidential client's session, after its last refresh. */
  readonly oauthConfidentialSession: number
}

/** All settings, parsed and checked once. */
export interface Settings {
  /** The server's origin, without a slash at the end. */
  readonly publicUrl: string
  /** Host and port of the origin, as in a URL: `pds.example.com`, `localhost:8787`. */
  readonly host: string
  /** True if the origin is on this machine, for development. */
  readonly isLocal: boolean
  readonly serviceDid: string
  /** Domains under which accounts get handles, without a leading dot. */
  readonly handleDomains: ReadonlyArray<string>
  /** 32 bytes: wraps account keys and derives token secrets. */
  readonly masterKey: Redacted.Redacted<Uint8Array>
  /** The master key before, while stored data is still under it. */
  readonly masterKeyPrevious: Redacted.Redacted<Uint8Array> | undefined
  /** 32 bytes: the host's K-256 private key, one of the rotation keys of did:plc accounts. */
  readonly plcRotationKey: Redacted.Redacted<Uint8Array>
  /** The host's key before, while DIDs still name it. */
  readonly plcRotationKeyPrevious: Redacted.Redacted<Uint8Array> | undefined
  readonly adminPassword: Redacted.Redacted<string>
  readonly plcUrl: string
  /** A DNS-over-HTTPS endpoint with JSON responses. */
  readonly dohUrl: string
  /** Origins of the relays to ask to crawl this host. */
  readonly relays: ReadonlyArray<string>
  /** The service for methods that this server doesn't have; undefined for none. */
  readonly appView: ServiceAddress | undefined
  readonly chatService: ServiceAddress | undefined
  /** The service for `tools.ozone.*`. */
  readonly modService: ServiceAddress | undefined
  /** The service for reports. */
  readonly reportService: ServiceAddress | undefined
  /** DIDs of moderation services whose tokens have a moderator's authority here. */
  readonly moderators: ReadonlyArray<string>
  readonly inviteRequired: boolean
  /** The largest blob, in bytes. */
  readonly blobLimit: number
  /** The bytes of blobs an account may hold; 0 for no quota. */
  readonly blobQuota: number
  readonly blobMimeTypes: ReadonlyArray<string>
  /** How long an upload without a reference is kept. */
  readonly blobGraceHours: number
  readonly acceptImports: boolean
  /** The largest CAR that importRepo accepts, and the maximum total of its records, in bytes. */
  readonly importLimit: number
  /** The largest JSON body, in bytes, for methods without their own limit. */
  readonly jsonLimit: number
  /** Origins that browsers may call from; `"*"` for every one. */
  readonly corsOrigins: "*" | ReadonlyArray<string>
  /** How long tokens and sessions live, in milliseconds. */
  readonly lifetimes: Lifetimes
  /** How long the stream keeps events, in milliseconds. */
  readonly streamRetention: number
  /** Reports settings at /ready that are laxer than a public server needs. */
  readonly strict: boolean
  /** Which deletions are held back for three days. */
  readonly deletionDelay: DeletionDelay
  readonly dataLocation: DataLocation | undefined
  /** The curve of new accounts' signing keys. */
  readonly signingCurve: "k256" | "p256"
  /**
   * on: all limits. sensitive: sign-in, sign-up and similar are limited; the rest is counted and
   * reported in headers but never rejected (the default on this machine, where all clients share an
   * address). off: none.
   */
  readonly rateLimits: RateLimitMode
  readonly rateLimitBypassKey: Redacted.Redacted<string> | undefined
  /** The bearer token of /metrics. */
  readonly metricsToken: Redacted.Redacted<string> | undefined
  readonly traces: TraceSettings | undefined
  readonly logLevel: LogLevel
  readonly privacyPolicyUrl: string | undefined
  readonly termsOfServiceUrl: string | undefined
  readonly contactEmail: string | undefined
  readonly brand: Brand
  /** Loopback services (`host[:port]`) that outgoing requests may reach; only for development. */
  readonly devAllowHosts: ReadonlyArray<string>
  readonly mailer: MailerSettings
  /** When the nightly backup begins, in minutes after midnight UTC. */
  readonly backupAt: number
  /** How many days, weeks and months keep their newest backup. */
  readonly backupKeep: Retention
  /** How many days the backups of a deleted account are kept. */
  readonly backupDeletedDays: number
  /** The S3-compatible store of backups; undefined to use the bucket `BACKUPS`, if it is bound. */
  readonly backupStore: S3Settings | undefined
  /** The S3-compatible store of blobs; undefined for the home's own. */
  readonly blobStore: S3Settings | undefined
  readonly alerts: AlertSettings
  /** The variables that are set, with their values; undefined for a secret. */
  readonly given: ReadonlyMap<string, string | undefined>
  /** Sends the number of rows written so far in a response header, for the bench. */
  readonly debugRows: boolean
}

/** One missing or malformed variable; the message never contains its value. */
export interface Problem {
  readonly variable: string
  readonly message: string
}

/** The configuration is unusable; lists every problem of every variable. */
export class Misconfigured extends Schema.TaggedError<Misconfigured>()("Misconfigured", {
  problems: Schema.Array(Schema.Struct({ variable: Schema.String, message: Schema.String }))
}) {
  override get message(): string {
    return `The configuration is not usable. ${this.problems
      .map(({ variable, message }) => `${variable} ${message}`)
      .join("; ")}`
  }
}

/** The server's settings. */
export class Config extends Context.Service<Config, Settings>()("nacre/services/Config") {}
