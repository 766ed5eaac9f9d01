import type { DurableObject } from "cloudflare:workers"
import type { LexiconDocument, XrpcMethod } from "./http/host/ownMethod.ts"

/** The name of every setting; the configuration reference explains them. */
export type ConfigVariable =
  | "PUBLIC_URL"
  | "SERVICE_DID"
  | "HANDLE_DOMAINS"
  | "MASTER_KEY"
  | "MASTER_KEY_PREVIOUS"
  | "PLC_ROTATION_KEY"
  | "PLC_ROTATION_KEY_PREVIOUS"
  | "ADMIN_PASSWORD"
  | "PLC_URL"
  | "DOH_URL"
  | "RELAYS"
  | "APP_VIEW"
  | "CHAT_SERVICE"
  | "MOD_SERVICE"
  | "REPORT_SERVICE"
  | "MODERATORS"
  | "INVITE_REQUIRED"
  | "BLOB_LIMIT"
  | "BLOB_QUOTA"
  | "BLOB_MIME_TYPES"
  | "BLOB_GRACE_HOURS"
  | "ACCEPT_IMPORTS"
  | "IMPORT_LIMIT"
  | "JSON_LIMIT"
  | "CORS_ORIGINS"
  | "ACCESS_TOKEN_MINUTES"
  | "SESSION_DAYS"
  | "OAUTH_ACCESS_TOKEN_MINUTES"
  | "OAUTH_PUBLIC_SESSION_DAYS"
  | "OAUTH_CONFIDENTIAL_SESSION_DAYS"
  | "STREAM_RETENTION_HOURS"
  | "DELETION_DELAY"
  | "STRICT"
  | "DATA_LOCATION"
  | "SIGNING_CURVE"
  | "RATE_LIMITS"
  | "RATE_LIMIT_BYPASS_KEY"
  | "METRICS_TOKEN"
  | "LOG_LEVEL"
  | "PRIVACY_POLICY_URL"
  | "TERMS_OF_SERVICE_URL"
  | "CONTACT_EMAIL"
  | "BRAND_NAME"
  | "BRAND_LOGO_URL"
  | "BRAND_COLOR"
  | "BRAND_BACKGROUND"
  | "BRAND_LINKS"
  | "DEV_ALLOW_HOSTS"
  | "MAILER"
  | "MAIL_FROM"
  | "MAIL_HTTP_URL"
  | "MAIL_HTTP_TOKEN"
  | "BACKUP_AT"
  | "BACKUP_KEEP"
  | "BACKUP_DELETED_DAYS"
  | "BACKUP_S3_URL"
  | "BACKUP_S3_KEY_ID"
  | "BACKUP_S3_SECRET"
  | "BACKUP_S3_REGION"
  | "BLOB_S3_URL"
  | "BLOB_S3_KEY_ID"
  | "BLOB_S3_SECRET"
  | "BLOB_S3_REGION"
  | "ALERT_EMAIL"
  | "ALERT_WEBHOOK"
  | "ALERT_WEBHOOK_FORMAT"
  | "OTEL_EXPORTER_OTLP_ENDPOINT"
  | "OTEL_EXPORTER_OTLP_HEADERS"
  | "OTEL_TRACES_SAMPLER_ARG"
  | "DEBUG_ROWS"

/**
 * Settings by variable. Never write a secret here: leave it in the environment, or read it from
 * there.
 */
export type NacreConfig = {
  readonly [V in ConfigVariable]?: string | number | boolean | ReadonlyArray<string> | undefined
}

/** The bindings that the server uses. */
export type BindingName =
  | "ACCOUNT"
  | "SEQUENCER"
  | "LIMITER"
  | "DIRECTORY"
  | "BLOBS"
  | "BACKUPS"
  | "MAIL"
  | "METRICS"

/** A mail to one account's owner. */
export interface OutgoingMail {
  readonly to: string
  readonly subject: string
  readonly text: string
  /** The mail's purpose, such as `reset_password`, for logs, which must never contain the text. */
  readonly purpose: string
}

/** Answers a request outside of the server's paths. */
export type SiteHandler<Env> = (
  request: Request,
  env: Env,
  ctx: ExecutionContext
) => Response | Promise<Response>

/** Additions to the server, and its settings. */
export interface NacreOptions<Env = Record<string, unknown>> {
  /** Settings that override the environment's, or a function that computes them from it. */
  readonly config?: NacreConfig | ((env: Env) => NacreConfig)
  /** Bindings with other names in this Worker: `{ DIRECTORY: "PDS_DB" }`. */
  readonly bindings?: { readonly [Name in BindingName]?: string }
  /**
   * Answers every path that isn't the server's, for all HTTP methods, including `/` and
   * `/robots.txt`.
   *
   * It also gets the requests to members' handle hosts, such as `https://alice.example.com/`.
   */
  readonly fallback?: SiteHandler<Env>
  /** Answers `/`: this function, or with `"nacre"` the server's own page despite a fallback. */
  readonly home?: SiteHandler<Env> | "nacre"
  /** XRPC methods of your own. */
  readonly methods?: ReadonlyArray<XrpcMethod<Env>>
  /** Lexicon documents that validate records, and those that they refer to. */
  readonly lexicons?: ReadonlyArray<LexiconDocument>
  /** Sends the server's mail instead of the configured mailer; rejects if it can't. */
  readonly mailer?: (mail: OutgoingMail, env: Env) => void | Promise<void>
}

/** An object that the platform runs; only the server calls its methods. */
export type NacreObject = DurableObject & {
  alarm(): Promise<void>
}

/** The class of such an object, for a Worker to extend and export. */
export interface NacreObjectClass {
  // `any` lets a Worker's own type of the environment fit, which `wrangler types` writes.
  // oxlint-disable-next-line typescript/no-explicit-any
  new (ctx: DurableObjectState, env: any): NacreObject
}

/** A server, for a Worker to export. */
export interface Nacre<Env = Record<string, unknown>> {
  /** Answers a request: the server's paths itself, all others with the fallback. */
  readonly fetch: (request: Request, env: Env, ctx: ExecutionContext) => Promise<Response>
  /** Does the work of a cron trigger: the nightly backup, a part at a time. */
  readonly scheduled: (
    controller: ScheduledController,
    env: Env,
    ctx: ExecutionContext
  ) => Promise<void>
  /** One object for each account. */
  readonly Account: NacreObjectClass
  /** One object for the event log. */
  readonly Sequencer: NacreObjectClass
  /** Counters for the exact rate limits. */
  readonly Limiter: NacreObjectClass
}
