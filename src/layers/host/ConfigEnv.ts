import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { sameBytes } from "../../core/bytes/bytes.ts"
import * as Syntax from "../../core/host/configSyntax.ts"
import { isJurisdiction, type mailers, type Span, spans } from "../../core/host/settings.ts"
import {
  secretNames,
  type VariableName,
  variableNames,
  variables
} from "../../core/host/variables.ts"
import { didWebOf } from "../../core/identity/did.ts"
import { parseHeaders } from "../../core/operators/otlp.ts"
import {
  type S3Settings,
  Config,
  type DataLocation,
  type MailerSettings,
  Misconfigured,
  type Problem,
  type Settings,
  type TraceSettings
} from "../../services/host/Config.ts"

/** The default quota of an account's blobs, in bytes. */
export const defaultBlobQuota = 50_000_000_000

type Fields = { readonly [V in VariableName]: (typeof variables)[V]["schema"] }

/** The environment, one schema a variable. */
const Environment = Schema.Struct(
  // SAFETY: each name keeps its own schema.
  Object.fromEntries(variableNames.map((name) => [name, variables[name].schema])) as Fields
)

type Values = typeof Environment.Type

const decode = Schema.decodeUnknownResult(Environment, { errors: "all" })
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

/** The server's variables that have a value. */
const known = (env: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    variableNames.flatMap((name) => {
      const value = env[name]
      const text = typeof value === "string" ? value.trim() : value
      return text === undefined || text === "" ? [] : [[name, text]]
    })
  )

/** The variables with their values, without those of secrets. */
const givenOf = (values: Record<string, unknown>): Settings["given"] =>
  new Map(
    Object.entries(values).map(([name, value]) => [
      name,
      secretNames.some((secret) => secret === name) ? undefined : String(value)
    ])
  )

const problemsOf = (values: Record<string, unknown>, issue: SchemaIssue.Issue): Array<Problem> => {
  const wrong = new Set(issuesOf(issue).issues.map(({ path }) => String(path?.[0])))
  return variableNames
    .filter((variable) => wrong.has(variable))
    .map((variable) => {
      const { demand } = variables[variable]
      return { variable, message: variable in values ? demand : `is missing: it ${demand}` }
    })
}

const locationOf = (value: Values["DATA_LOCATION"]): DataLocation | undefined =>
  value === undefined
    ? undefined
    : isJurisdiction(value)
      ? { jurisdiction: value }
      : { hint: value }

/** The Bluesky app's services, with their origins to avoid look-ups. */
const blueskyServices = {
  appView: "did:web:api.bsky.app#bsky_appview https://api.bsky.app",
  chat: "did:web:api.bsky.chat#bsky_chat https://api.bsky.chat",
  moderation: "did:plc:ar7c4by46qjdydhdevvrndac#atproto_labeler https://mod.bsky.app"
}

/** `missingForMail` checks what a mailer needs. */
const mailerOf = (values: Values): MailerSettings => {
  const { MAILER: kind = "none", MAIL_FROM: from = "", MAIL_HTTP_URL: url = "" } = values
  if (kind === "cloudflare") return { kind, from }
  if (kind !== "http") return { kind }
  return { kind, from, url, token: Redacted.make(values.MAIL_HTTP_TOKEN ?? "") }
}

/** `missingForStores` checks the store's key. */
const storeOf = (values: Values, kind: "BACKUP" | "BLOB"): S3Settings | undefined => {
  const url = values[`${kind}_S3_URL`]
  if (url === undefined) return undefined
  return {
    url,
    keyId: values[`${kind}_S3_KEY_ID`] ?? "",
    secret: Redacted.make(values[`${kind}_S3_SECRET`] ?? ""),
    region: values[`${kind}_S3_REGION`] ?? "auto"
  }
}

/** The part of requests that is traced, unless the configuration says otherwise. */
const usualRatio = 0.1

const tracesOf = (values: Values): TraceSettings | undefined => {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_HEADERS: headers } = values
  if (url === undefined) return undefined
  return {
    url: `${Syntax.trimSlash(url)}/v1/traces`,
    headers: Redacted.make((headers === undefined ? undefined : parseHeaders(headers)) ?? {}),
    ratio: values.OTEL_TRACES_SAMPLER_ARG ?? usualRatio
  }
}

const minute = 60_000
const hour = 60 * minute

/** A span or its default, in milliseconds. */
const spanOf = (values: Values, name: Span, unit: number): number =>
  (values[name] ?? spans[name].usual) * unit

/**
 * How long the stream keeps events, for the log's object, which reads no other setting; the default
 * if it is invalid.
 */
export const streamRetentionOf = (env: Readonly<Record<string, unknown>>): number => {
  const schema = variables.STREAM_RETENTION_HOURS.schema
  const { STREAM_RETENTION_HOURS: value } = known(env)
  const hours = Schema.decodeUnknownOption(Schema.Struct({ value: schema }))(
    value === undefined ? {} : { value }
  )
  return Option.match(hours, {
    onNone: () => spans.STREAM_RETENTION_HOURS.usual * hour,
    onSome: (set) => (set.value ?? spans.STREAM_RETENTION_HOURS.usual) * hour
  })
}

/** The key before another; undefined if both are the same, as before a rotation's second step. */
const previousOf = (previous: Uint8Array | undefined, key: Uint8Array) =>
  previous === undefined || sameBytes(previous, key) ? undefined : Redacted.make(previous)

const settingsOf = (values: Values): Omit<Settings, "given"> => {
  const publicUrl = values.PUBLIC_URL ?? "http://localhost:8787"
  const { host, hostname } = new URL(publicUrl)
  const isLocal = Syntax.isLocalName(hostname)
  const corsOrigins = values.CORS_ORIGINS ?? ["*"]
  return {
    publicUrl,
    host,
    isLocal,
    serviceDid: values.SERVICE_DID ?? didWebOf(host),
    handleDomains: values.HANDLE_DOMAINS ?? [isLocal ? "test" : hostname],
    masterKey: Redacted.make(values.MASTER_KEY),
    masterKeyPrevious: previousOf(values.MASTER_KEY_PREVIOUS, values.MASTER_KEY),
    plcRotationKey: Redacted.make(values.PLC_ROTATION_KEY),
    plcRotationKeyPrevious: previousOf(values.PLC_ROTATION_KEY_PREVIOUS, values.PLC_ROTATION_KEY),
    adminPassword: Redacted.make(values.ADMIN_PASSWORD),
    plcUrl: Syntax.trimSlash(values.PLC_URL ?? "https://plc.directory"),
    dohUrl: values.DOH_URL ?? "https://cloudflare-dns.com/dns-query",
    relays: (values.RELAYS ?? (isLocal ? [] : ["https://bsky.network"])).filter(
      (relay) => relay !== "none"
    ),
    appView: Syntax.serviceAddress(values.APP_VIEW ?? blueskyServices.appView),
    chatService: Syntax.serviceAddress(values.CHAT_SERVICE ?? blueskyServices.chat),
    modService: Syntax.serviceAddress(values.MOD_SERVICE ?? blueskyServices.moderation),
    reportService: Syntax.serviceAddress(
      values.REPORT_SERVICE ?? values.MOD_SERVICE ?? blueskyServices.moderation
    ),
    moderators: values.MODERATORS ?? [],
    inviteRequired: values.INVITE_REQUIRED ?? true,
    blobLimit: values.BLOB_LIMIT ?? 104_857_600,
    blobQuota: values.BLOB_QUOTA ?? defaultBlobQuota,
    blobMimeTypes: values.BLOB_MIME_TYPES ?? ["*/*"],
    blobGraceHours: values.BLOB_GRACE_HOURS ?? 6,
    acceptImports: values.ACCEPT_IMPORTS ?? true,
    importLimit: values.IMPORT_LIMIT ?? 256_000_000,
    jsonLimit: values.JSON_LIMIT ?? 150 * 1024,
    corsOrigins: corsOrigins.includes("*") ? "*" : corsOrigins,
    lifetimes: {
      accessToken: spanOf(values, "ACCESS_TOKEN_MINUTES", minute),
      session: spanOf(values, "SESSION_DAYS", 24 * hour),
      oauthAccessToken: spanOf(values, "OAUTH_ACCESS_TOKEN_MINUTES", minute),
      oauthPublicSession: spanOf(values, "OAUTH_PUBLIC_SESSION_DAYS", 24 * hour),
      oauthConfidentialSession: spanOf(values, "OAUTH_CONFIDENTIAL_SESSION_DAYS", 24 * hour)
    },
    streamRetention: spanOf(values, "STREAM_RETENTION_HOURS", hour),
    deletionDelay: values.DELETION_DELAY ?? "pages",
    strict: values.STRICT ?? false,
    dataLocation: locationOf(values.DATA_LOCATION),
    signingCurve: values.SIGNING_CURVE ?? "k256",
    rateLimits: values.RATE_LIMITS ?? (isLocal ? "sensitive" : "on"),
    rateLimitBypassKey:
      values.RATE_LIMIT_BYPASS_KEY === undefined
        ? undefined
        : Redacted.make(values.RATE_LIMIT_BYPASS_KEY),
    metricsToken:
      values.METRICS_TOKEN === undefined ? undefined : Redacted.make(values.METRICS_TOKEN),
    traces: tracesOf(values),
    logLevel: values.LOG_LEVEL ?? "info",
    privacyPolicyUrl: values.PRIVACY_POLICY_URL,
    termsOfServiceUrl: values.TERMS_OF_SERVICE_URL,
    contactEmail: values.CONTACT_EMAIL,
    brand: {
      name: values.BRAND_NAME,
      logoUrl: values.BRAND_LOGO_URL,
      color: values.BRAND_COLOR,
      background: values.BRAND_BACKGROUND,
      links: (values.BRAND_LINKS ?? []).map(Syntax.labelledUrl)
    },
    devAllowHosts: values.DEV_ALLOW_HOSTS ?? [],
    mailer: mailerOf(values),
    backupAt: values.BACKUP_AT ?? 180,
    backupKeep: values.BACKUP_KEEP ?? { days: 7, weeks: 4, months: 12 },
    backupDeletedDays: values.BACKUP_DELETED_DAYS ?? 30,
    backupStore: storeOf(values, "BACKUP"),
    blobStore: storeOf(values, "BLOB"),
    alerts: {
      email: values.ALERT_EMAIL,
      webhook: values.ALERT_WEBHOOK === undefined ? undefined : Redacted.make(values.ALERT_WEBHOOK),
      webhookFormat: values.ALERT_WEBHOOK_FORMAT
    },
    debugRows: values.DEBUG_ROWS ?? false
  }
}

const neededForMail = {
  none: [],
  captured: [],
  worker: [],
  http: ["MAIL_FROM", "MAIL_HTTP_URL", "MAIL_HTTP_TOKEN"],
  cloudflare: ["MAIL_FROM"]
} as const satisfies Record<(typeof mailers)[number], ReadonlyArray<VariableName>>

const missingForMail = (values: Values): Array<Problem> => {
  const kind = values.MAILER ?? "none"
  return neededForMail[kind]
    .filter((variable) => values[variable] === undefined)
    .map((variable) => ({ variable, message: `is missing: MAILER=${kind} needs it` }))
}

const missingForStores = (values: Values): Array<Problem> =>
  (["BACKUP", "BLOB"] as const)
    .filter((kind) => values[`${kind}_S3_URL`] !== undefined)
    .flatMap((kind) =>
      ([`${kind}_S3_KEY_ID`, `${kind}_S3_SECRET`] as const)
        .filter((variable) => values[variable] === undefined)
        .map((variable) => ({ variable, message: `is missing: ${kind}_S3_URL needs it` }))
    )

/** Two stores in one place would delete each other's objects. */
const sharedStore = ({ BLOB_S3_URL: blobs, BACKUP_S3_URL: backups }: Values): Array<Problem> =>
  blobs === undefined || blobs !== backups
    ? []
    : [{ variable: "BLOB_S3_URL", message: "must differ from BACKUP_S3_URL" }]

/** Rules between variables. */
const conflictsOf = (settings: Settings, values: Values): Array<Problem> => [
  ...missingForMail(values),
  ...missingForStores(values),
  ...sharedStore(values),
  ...(settings.isLocal || settings.devAllowHosts.length === 0
    ? []
    : [
        {
          variable: "DEV_ALLOW_HOSTS",
          message: "is for development: it is refused while PUBLIC_URL is a public host"
        }
      ])
]

/** Parses the settings from the environment, synchronously; the failure lists every problem. */
export const read = (
  env: Readonly<Record<string, unknown>>
): Result.Result<Settings, Misconfigured> => {
  const values = known(env)
  const decoded = decode(values)
  if (Result.isFailure(decoded)) {
    return Result.fail(new Misconfigured({ problems: problemsOf(values, decoded.failure.issue) }))
  }
  const settings = { ...settingsOf(decoded.success), given: givenOf(values) }
  const problems = conflictsOf(settings, decoded.success)
  return problems.length === 0
    ? Result.succeed(settings)
    : Result.fail(new Misconfigured({ problems }))
}

/** Settings from a record of strings: a Worker's bindings or `process.env`. */
export const layer = (env: Readonly<Record<string, unknown>>): Layer.Layer<Config, Misconfigured> =>
  Layer.effect(
    Config,
    Effect.suspend(() => Effect.fromResult(read(env)))
  )
