import * as Context from "effect/Context"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Retention } from "../../core/backups/retention.ts"
import type {
  DataLocation,
  LogLevel,
  RateLimitMode,
  ServiceAddress
} from "../../core/host/settings.ts"

export type { DataLocation, ServiceAddress }

/** How the pages look: whose they are. */
export interface Brand {
  /** Stands at the top of the pages in place of the host's name. */
  readonly name: string | undefined
  readonly logoUrl: string | undefined
  /** The colour of what can be pressed: `#rrggbb`. */
  readonly color: string | undefined
  /** What the pages lie on: `#rrggbb`, or the address of a picture. */
  readonly background: string | undefined
  /** Links at the foot of the pages, before those to privacy policy and terms. */
  readonly links: ReadonlyArray<{ readonly label: string; readonly url: string }>
}

/** How mail leaves: not at all, into memory, by the Worker's own mailer, by a provider's HTTP API, or by Cloudflare's binding `MAIL`. */
export type MailerSettings =
  | { readonly kind: "none" | "captured" | "worker" }
  | { readonly kind: "cloudflare"; readonly from: string }
  | {
      readonly kind: "http"
      readonly from: string
      readonly url: string
      readonly token: Redacted.Redacted<string>
    }

/** An S3-compatible store of backups. */
export interface BackupSettings {
  /** `https://host/bucket` or `https://host/bucket/prefix`. */
  readonly url: string
  readonly keyId: string
  readonly secret: Redacted.Redacted<string>
  readonly region: string
}

/** How long tokens and sessions live, in milliseconds. */
export interface Lifetimes {
  readonly accessToken: number
  /** A session with a password, after its last refresh. */
  readonly session: number
  readonly oauthAccessToken: number
  /** The session of a public client, in all. */
  readonly oauthPublicSession: number
  /** The session of a confidential client, after its last refresh. */
  readonly oauthConfidentialSession: number
}

/** Everything that can be set from outside, read once and checked. */
export interface Settings {
  /** The server's origin, without a slash at the end. */
  readonly publicUrl: string
  /** Host and port of the origin as a URL has them: `pds.example.com`, `localhost:8787`. */
  readonly host: string
  /** True when the origin is on this machine: development. */
  readonly isLocal: boolean
  readonly serviceDid: string
  /** Domains under which accounts get handles, without a leading dot. */
  readonly handleDomains: ReadonlyArray<string>
  /** 32 bytes: wraps account keys and derives token secrets. */
  readonly masterKey: Redacted.Redacted<Uint8Array>
  /** 32 bytes: the host's K-256 private key among the rotation keys of did:plc accounts. */
  readonly plcRotationKey: Redacted.Redacted<Uint8Array>
  readonly adminPassword: Redacted.Redacted<string>
  readonly plcUrl: string
  /** A DNS-over-HTTPS endpoint that answers JSON. */
  readonly dohUrl: string
  /** Origins of the relays that are asked to crawl this host. */
  readonly relays: ReadonlyArray<string>
  /** Who answers the methods that this server has not; undefined where nobody does. */
  readonly appView: ServiceAddress | undefined
  readonly chatService: ServiceAddress | undefined
  /** Who answers `tools.ozone.*`. */
  readonly modService: ServiceAddress | undefined
  /** Who takes reports. */
  readonly reportService: ServiceAddress | undefined
  /** DIDs of moderation services whose tokens do here what moderators may do. */
  readonly moderators: ReadonlyArray<string>
  readonly inviteRequired: boolean
  /** The largest blob, in bytes. */
  readonly blobLimit: number
  /** Bytes of blobs an account may hold; 0 is no quota. */
  readonly blobQuota: number
  readonly blobMimeTypes: ReadonlyArray<string>
  /** How long an upload that no record refers to is kept. */
  readonly blobGraceHours: number
  readonly acceptImports: boolean
  /** The largest CAR that importRepo takes, and the most that its records may take together, in bytes. */
  readonly importLimit: number
  /** The largest JSON body, in bytes, of methods that do not name their own. */
  readonly jsonLimit: number
  /** Origins that browsers may call from; `"*"` is every one. */
  readonly corsOrigins: "*" | ReadonlyArray<string>
  /** How long tokens and sessions live, in milliseconds. */
  readonly lifetimes: Lifetimes
  /** How long the stream keeps events, in milliseconds. */
  readonly streamRetention: number
  /** Warns at /ready about settings that are laxer than a public server needs. */
  readonly strict: boolean
  readonly dataLocation: DataLocation | undefined
  /** The curve of new accounts' repo signing keys. */
  readonly signingCurve: "k256" | "p256"
  /**
   * on: all limits. sensitive: sign-in, sign-up and the like are limited, the rest is counted and told in
   * headers but refuses nobody (the default on this machine, where one address is everybody). off: none.
   */
  readonly rateLimits: RateLimitMode
  readonly rateLimitBypassKey: Redacted.Redacted<string> | undefined
  readonly logLevel: LogLevel
  readonly privacyPolicyUrl: string | undefined
  readonly termsOfServiceUrl: string | undefined
  readonly contactEmail: string | undefined
  readonly brand: Brand
  /** Loopback services (`host[:port]`) that outgoing requests may reach; development only. */
  readonly devAllowHosts: ReadonlyArray<string>
  readonly mailer: MailerSettings
  /** When the nightly backup begins, in minutes after midnight UTC. */
  readonly backupAt: number
  /** How many days, weeks and months keep their newest backup. */
  readonly backupKeep: Retention
  /** How many days the backups of a deleted account are kept. */
  readonly backupDeletedDays: number
  /** The S3-compatible store of backups; undefined to use the bucket `BACKUPS`, if it is bound. */
  readonly backupStore: BackupSettings | undefined
  /** Tells all rows written so far in a response header: for the bench. */
  readonly debugRows: boolean
}

/** One variable that is missing or malformed; the message never holds its value. */
export interface Problem {
  readonly variable: string
  readonly message: string
}

/** The environment cannot be used; every problem of every variable is listed. */
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
