import * as Schema from "effect/Schema"
import { webhookFormats } from "../operators/alertMessages.ts"
import { WebhookUrl } from "../operators/alertSyntax.ts"
import * as Backups from "./backupSyntax.ts"
import * as Syntax from "./configSyntax.ts"
import {
  deletionDelays,
  jurisdictions,
  locationHints,
  logLevels,
  mailers,
  type Span,
  spans
} from "./settings.ts"

const optional = Schema.optionalKey

const number = "must be a whole number, 0 or more"
const url = "must be an http or https URL"
const picture = "must be an https URL of a picture"
const service =
  "must be a DID with its #service, and where its document is not to be asked an origin after a space; or none"
const flag = "must be on or off (or true, false, 1, 0)"
const oneOf = (values: ReadonlyArray<string>) => `must be one of ${values.join(", ")}`

/** A whole number within a span's limits. */
const span = (name: Span) => {
  const { least, most } = spans[name]
  return {
    schema: optional(Syntax.wholeBetween(least, most)),
    demand: `must be a whole number from ${least} to ${most}`
  }
}

/** A variable: its schema, its requirement in words, and whether its value is secret. */
interface Variable {
  readonly schema: Schema.Top
  /**
   * Follows the variable's name in a message. The value is never shown, because it may be secret.
   */
  readonly demand: string
  readonly secret?: true
}

/** All configuration variables; `variableTexts.ts` explains them. */
export const variables = {
  PUBLIC_URL: {
    schema: optional(Syntax.Origin),
    demand:
      "must be an origin: https://, a host name, nothing after it (http is for localhost only)"
  },
  SERVICE_DID: { schema: optional(Syntax.ServiceDid), demand: "must be a did:web or did:plc" },
  HANDLE_DOMAINS: {
    schema: optional(Syntax.listOf(Syntax.Domain)),
    demand: "must be domains separated by commas, such as .example.com"
  },
  MASTER_KEY: {
    schema: Syntax.MasterKey,
    demand: "must be 32 random bytes in base64url",
    secret: true
  },
  MASTER_KEY_PREVIOUS: {
    schema: optional(Syntax.MasterKey),
    demand: "must be 32 random bytes in base64url",
    secret: true
  },
  PLC_ROTATION_KEY: {
    schema: Syntax.K256PrivateKey,
    demand: "must be a K-256 private key, 32 bytes in hexadecimal",
    secret: true
  },
  PLC_ROTATION_KEY_PREVIOUS: {
    schema: optional(Syntax.K256PrivateKey),
    demand: "must be a K-256 private key, 32 bytes in hexadecimal",
    secret: true
  },
  ADMIN_PASSWORD: {
    schema: Syntax.AdminPassword,
    demand: "must be at least 16 characters",
    secret: true
  },
  PLC_URL: { schema: optional(Syntax.HttpUrl), demand: url },
  DOH_URL: { schema: optional(Syntax.HttpUrl), demand: url },
  RELAYS: {
    schema: optional(Syntax.listOf(Syntax.RelayOrigin)),
    demand: "must be https origins separated by commas (http for this machine), or none"
  },
  APP_VIEW: { schema: optional(Syntax.ServiceReference), demand: service },
  CHAT_SERVICE: { schema: optional(Syntax.ServiceReference), demand: service },
  MOD_SERVICE: { schema: optional(Syntax.ServiceReference), demand: service },
  REPORT_SERVICE: { schema: optional(Syntax.ServiceReference), demand: service },
  MODERATORS: {
    schema: optional(Syntax.listOf(Syntax.ServiceDid)),
    demand: "must be did:web or did:plc, separated by commas"
  },
  INVITE_REQUIRED: { schema: optional(Syntax.Flag), demand: flag },
  BLOB_LIMIT: { schema: optional(Syntax.Bytes), demand: number },
  BLOB_QUOTA: { schema: optional(Syntax.Bytes), demand: number },
  BLOB_MIME_TYPES: {
    schema: optional(Syntax.listOf(Syntax.MimeGlob)),
    demand: "must be MIME types separated by commas, such as image/*, video/mp4"
  },
  BLOB_GRACE_HOURS: {
    schema: optional(Syntax.Hours),
    demand: "must be a number of hours, at least 1"
  },
  ACCEPT_IMPORTS: { schema: optional(Syntax.Flag), demand: flag },
  IMPORT_LIMIT: { schema: optional(Syntax.Bytes), demand: number },
  JSON_LIMIT: { schema: optional(Syntax.Bytes), demand: number },
  CORS_ORIGINS: {
    schema: optional(Syntax.listOf(Syntax.CorsOrigin)),
    demand: "must be * or origins separated by commas"
  },
  ACCESS_TOKEN_MINUTES: span("ACCESS_TOKEN_MINUTES"),
  SESSION_DAYS: span("SESSION_DAYS"),
  OAUTH_ACCESS_TOKEN_MINUTES: span("OAUTH_ACCESS_TOKEN_MINUTES"),
  OAUTH_PUBLIC_SESSION_DAYS: span("OAUTH_PUBLIC_SESSION_DAYS"),
  OAUTH_CONFIDENTIAL_SESSION_DAYS: span("OAUTH_CONFIDENTIAL_SESSION_DAYS"),
  STREAM_RETENTION_HOURS: span("STREAM_RETENTION_HOURS"),
  DELETION_DELAY: {
    schema: optional(Schema.Literals(deletionDelays)),
    demand: oneOf(deletionDelays)
  },
  STRICT: { schema: optional(Syntax.Flag), demand: flag },
  DATA_LOCATION: {
    schema: optional(Schema.Literals([...jurisdictions, ...locationHints])),
    demand: oneOf([...jurisdictions, ...locationHints])
  },
  SIGNING_CURVE: {
    schema: optional(Schema.Literals(["k256", "p256"])),
    demand: oneOf(["k256", "p256"])
  },
  RATE_LIMITS: { schema: optional(Syntax.RateLimitMode), demand: "must be on, sensitive or off" },
  RATE_LIMIT_BYPASS_KEY: {
    schema: optional(Syntax.BypassKey),
    demand: "must be at least 16 characters",
    secret: true
  },
  METRICS_TOKEN: {
    schema: optional(Syntax.BypassKey),
    demand: "must be at least 16 characters",
    secret: true
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: { schema: optional(Syntax.HttpUrl), demand: url },
  OTEL_EXPORTER_OTLP_HEADERS: {
    schema: optional(Syntax.CollectorHeaders),
    demand: "must be name=value separated by commas, with percent-encoded values",
    secret: true
  },
  OTEL_TRACES_SAMPLER_ARG: {
    schema: optional(Syntax.Ratio),
    demand: "must be a number from 0 to 1"
  },
  LOG_LEVEL: { schema: optional(Schema.Literals(logLevels)), demand: oneOf(logLevels) },
  PRIVACY_POLICY_URL: { schema: optional(Syntax.HttpUrl), demand: url },
  TERMS_OF_SERVICE_URL: { schema: optional(Syntax.HttpUrl), demand: url },
  CONTACT_EMAIL: { schema: optional(Syntax.Email), demand: "must be an e-mail address" },
  BRAND_NAME: { schema: optional(Syntax.ShortText), demand: "must be at most 64 characters" },
  BRAND_LOGO_URL: { schema: optional(Syntax.PictureUrl), demand: picture },
  BRAND_COLOR: { schema: optional(Syntax.HexColor), demand: "must be a colour such as #4a5bd0" },
  BRAND_BACKGROUND: {
    schema: optional(Syntax.ColorOrPicture),
    demand: "must be a colour such as #4a5bd0 or an https URL of a picture"
  },
  BRAND_LINKS: {
    schema: optional(Syntax.listOf(Syntax.LabelledUrl)),
    demand: "must be links separated by commas, each a label, = and an http or https URL"
  },
  DEV_ALLOW_HOSTS: {
    schema: optional(Syntax.listOf(Syntax.HostPort)),
    demand: "must be host[:port] separated by commas"
  },
  MAILER: { schema: optional(Schema.Literals(mailers)), demand: oneOf(mailers) },
  MAIL_FROM: {
    schema: optional(Syntax.Sender),
    demand: "must be an e-mail address, or a name and <an e-mail address>"
  },
  MAIL_HTTP_URL: { schema: optional(Syntax.HttpUrl), demand: url },
  MAIL_HTTP_TOKEN: {
    schema: optional(Schema.String),
    demand: "must be the token of the mail provider",
    secret: true
  },
  BACKUP_AT: {
    schema: optional(Backups.TimeOfDay),
    demand: "must be a time of day in UTC, such as 03:00"
  },
  BACKUP_KEEP: {
    schema: optional(Backups.Retention),
    demand: "must be three numbers: days, weeks and months, such as 7,4,12"
  },
  BACKUP_DELETED_DAYS: { schema: optional(Syntax.Bytes), demand: number },
  BACKUP_S3_URL: {
    schema: optional(Backups.StoreUrl),
    demand: "must be an https URL of a bucket, such as https://s3.example.com/my-backups"
  },
  BACKUP_S3_KEY_ID: { schema: optional(Schema.String), demand: "must be an access key ID" },
  BACKUP_S3_SECRET: {
    schema: optional(Schema.String),
    demand: "must be the secret of BACKUP_S3_KEY_ID",
    secret: true
  },
  BACKUP_S3_REGION: { schema: optional(Syntax.ShortText), demand: "must be a region's name" },
  BLOB_S3_URL: {
    schema: optional(Backups.StoreUrl),
    demand: "must be an https URL of a bucket, such as https://s3.example.com/my-blobs"
  },
  BLOB_S3_KEY_ID: { schema: optional(Schema.String), demand: "must be an access key ID" },
  BLOB_S3_SECRET: {
    schema: optional(Schema.String),
    demand: "must be the secret of BLOB_S3_KEY_ID",
    secret: true
  },
  BLOB_S3_REGION: { schema: optional(Syntax.ShortText), demand: "must be a region's name" },
  ALERT_EMAIL: { schema: optional(Syntax.Email), demand: "must be an e-mail address" },
  ALERT_WEBHOOK: {
    schema: optional(WebhookUrl),
    demand:
      "must be an https URL of a public host, without a port or credentials (http for this machine)",
    secret: true
  },
  ALERT_WEBHOOK_FORMAT: {
    schema: optional(Schema.Literals(webhookFormats)),
    demand: oneOf(webhookFormats)
  },
  DEBUG_ROWS: { schema: optional(Syntax.Flag), demand: flag }
} as const satisfies Record<string, Variable>

export type VariableName = keyof typeof variables

/** The names of all variables. */
// SAFETY: the keys of the table are its names.
export const variableNames = Object.keys(variables) as ReadonlyArray<VariableName>

/** The secret variables, each of which may be in a Secrets Store under a binding with its name. */
export const secretNames: ReadonlyArray<VariableName> = variableNames.filter(
  (name) => "secret" in variables[name]
)
