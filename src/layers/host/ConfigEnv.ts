import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { didWebOf } from "../../core/identity/did.ts"
import {
  Config,
  type DataLocation,
  locationHints,
  logLevels,
  type MailerSettings,
  Misconfigured,
  type Problem,
  type Settings
} from "../../services/host/Config.ts"
import * as Syntax from "./configSyntax.ts"

const optional = Schema.optionalKey

const mailers = ["none", "captured", "http", "cloudflare"] as const

/** The environment, one schema a variable. */
const Environment = Schema.Struct({
  PUBLIC_URL: optional(Syntax.Origin),
  SERVICE_DID: optional(Syntax.ServiceDid),
  HANDLE_DOMAINS: optional(Syntax.listOf(Syntax.Domain)),
  MASTER_KEY: Syntax.MasterKey,
  PLC_ROTATION_KEY: Syntax.K256PrivateKey,
  ADMIN_PASSWORD: Syntax.AdminPassword,
  PLC_URL: optional(Syntax.HttpUrl),
  DOH_URL: optional(Syntax.HttpUrl),
  RELAYS: optional(Syntax.listOf(Syntax.RelayOrigin)),
  APP_VIEW: optional(Syntax.ServiceReference),
  CHAT_SERVICE: optional(Syntax.ServiceReference),
  MOD_SERVICE: optional(Syntax.ServiceReference),
  REPORT_SERVICE: optional(Syntax.ServiceReference),
  MODERATORS: optional(Syntax.listOf(Syntax.ServiceDid)),
  INVITE_REQUIRED: optional(Syntax.Flag),
  BLOB_LIMIT: optional(Syntax.Bytes),
  BLOB_QUOTA: optional(Syntax.Bytes),
  BLOB_MIME_TYPES: optional(Syntax.listOf(Syntax.MimeGlob)),
  BLOB_GRACE_HOURS: optional(Syntax.Hours),
  ACCEPT_IMPORTS: optional(Syntax.Flag),
  IMPORT_LIMIT: optional(Syntax.Bytes),
  JSON_LIMIT: optional(Syntax.Bytes),
  CORS_ORIGINS: optional(Syntax.listOf(Syntax.CorsOrigin)),
  DATA_LOCATION: optional(Schema.Literals(["eu", "fedramp", ...locationHints])),
  SIGNING_CURVE: optional(Schema.Literals(["k256", "p256"])),
  RATE_LIMITS: optional(Syntax.RateLimitMode),
  RATE_LIMIT_BYPASS_KEY: optional(Syntax.BypassKey),
  LOG_LEVEL: optional(Schema.Literals(logLevels)),
  PRIVACY_POLICY_URL: optional(Syntax.HttpUrl),
  TERMS_OF_SERVICE_URL: optional(Syntax.HttpUrl),
  CONTACT_EMAIL: optional(Syntax.Email),
  BRAND_NAME: optional(Syntax.ShortText),
  BRAND_LOGO_URL: optional(Syntax.PictureUrl),
  BRAND_COLOR: optional(Syntax.HexColor),
  BRAND_BACKGROUND: optional(Syntax.ColorOrPicture),
  BRAND_LINKS: optional(Syntax.listOf(Syntax.LabelledUrl)),
  DEV_ALLOW_HOSTS: optional(Syntax.listOf(Syntax.HostPort)),
  MAILER: optional(Schema.Literals(mailers)),
  MAIL_FROM: optional(Syntax.Sender),
  MAIL_HTTP_URL: optional(Syntax.HttpUrl),
  MAIL_HTTP_TOKEN: optional(Schema.String),
  DEBUG_ROWS: optional(Syntax.Flag)
})

type Variable = keyof typeof Environment.fields
type Values = typeof Environment.Type

const number = "must be a whole number, 0 or more"
const url = "must be an http or https URL"
const picture = "must be an https URL of a picture"
const service =
  "must be a DID with its #service, and where its document is not to be asked an origin after a space; or none"
const flag = "must be on or off (or true, false, 1, 0)"
const oneOf = (values: ReadonlyArray<string>) => `must be one of ${values.join(", ")}`

/** What each variable must be, in words: a value is never shown, for it may be a secret. */
const demands: { readonly [V in Variable]: string } = {
  PUBLIC_URL:
    "must be an origin: https://, a host name, nothing after it (http is for localhost only)",
  SERVICE_DID: "must be a did:web or did:plc",
  HANDLE_DOMAINS: "must be domains separated by commas, such as .example.com",
  MASTER_KEY: "must be 32 random bytes in base64url",
  PLC_ROTATION_KEY: "must be a K-256 private key, 32 bytes in hexadecimal",
  ADMIN_PASSWORD:
    "must be at least 16 characters; set a longer one with npx wrangler secret put ADMIN_PASSWORD, or in .dev.vars for a local server",
  PLC_URL: url,
  DOH_URL: url,
  RELAYS: "must be https origins separated by commas (http for this machine), or none",
  APP_VIEW: service,
  CHAT_SERVICE: service,
  MOD_SERVICE: service,
  REPORT_SERVICE: service,
  MODERATORS: "must be did:web or did:plc, separated by commas",
  INVITE_REQUIRED: flag,
  BLOB_LIMIT: number,
  BLOB_QUOTA: number,
  BLOB_MIME_TYPES: "must be MIME types separated by commas, such as image/*, video/mp4",
  BLOB_GRACE_HOURS: "must be a number of hours, at least 1",
  ACCEPT_IMPORTS: flag,
  IMPORT_LIMIT: number,
  JSON_LIMIT: number,
  CORS_ORIGINS: "must be * or origins separated by commas",
  DATA_LOCATION: oneOf(["eu", "fedramp", ...locationHints]),
  SIGNING_CURVE: oneOf(["k256", "p256"]),
  RATE_LIMITS: "must be on, sensitive or off",
  RATE_LIMIT_BYPASS_KEY: "must be at least 16 characters",
  LOG_LEVEL: oneOf(logLevels),
  PRIVACY_POLICY_URL: url,
  TERMS_OF_SERVICE_URL: url,
  CONTACT_EMAIL: "must be an e-mail address",
  BRAND_NAME: "must be at most 64 characters",
  BRAND_LOGO_URL: picture,
  BRAND_COLOR: "must be a colour such as #4a5bd0",
  BRAND_BACKGROUND: "must be a colour such as #4a5bd0 or an https URL of a picture",
  BRAND_LINKS: "must be links separated by commas, each a label, = and an http or https URL",
  DEV_ALLOW_HOSTS: "must be host[:port] separated by commas",
  MAILER: oneOf(mailers),
  MAIL_FROM: "must be an e-mail address, or a name and <an e-mail address>",
  MAIL_HTTP_URL: url,
  MAIL_HTTP_TOKEN: "must be the token of the mail provider",
  DEBUG_ROWS: flag
}

const decode = Schema.decodeUnknownResult(Environment, { errors: "all" })
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

/** The variables that the server knows, of those that are set to something. */
const known = (env: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.keys(demands).flatMap((name) => {
      const value = env[name]
      const text = typeof value === "string" ? value.trim() : value
      return text === undefined || text === "" ? [] : [[name, text]]
    })
  )

const problemsOf = (values: Record<string, unknown>, issue: SchemaIssue.Issue): Array<Problem> => {
  const wrong = new Set(issuesOf(issue).issues.map(({ path }) => String(path?.[0])))
  return Object.entries(demands)
    .filter(([variable]) => wrong.has(variable))
    .map(([variable, demand]) => ({
      variable,
      message: variable in values ? demand : `is missing: it ${demand}`
    }))
}

const locationOf = (value: Values["DATA_LOCATION"]): DataLocation | undefined =>
  value === undefined
    ? undefined
    : value === "eu" || value === "fedramp"
      ? { jurisdiction: value }
      : { hint: value }

/** The services of the Bluesky app. Their addresses stand here, so that nobody has to be asked for them first. */
const blueskyServices = {
  appView: "did:web:api.bsky.app#bsky_appview https://api.bsky.app",
  chat: "did:web:api.bsky.chat#bsky_chat https://api.bsky.chat",
  moderation: "did:plc:ar7c4by46qjdydhdevvrndac#atproto_labeler https://mod.bsky.app"
}

/** What a mailer needs is asked for below (`missingForMail`). */
const mailerOf = (values: Values): MailerSettings => {
  const { MAILER: kind = "none", MAIL_FROM: from = "", MAIL_HTTP_URL: url = "" } = values
  if (kind === "cloudflare") return { kind, from }
  if (kind !== "http") return { kind }
  return { kind, from, url, token: Redacted.make(values.MAIL_HTTP_TOKEN ?? "") }
}

const settingsOf = (values: Values): Settings => {
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
    plcRotationKey: Redacted.make(values.PLC_ROTATION_KEY),
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
    blobQuota: values.BLOB_QUOTA ?? 0,
    blobMimeTypes: values.BLOB_MIME_TYPES ?? ["*/*"],
    blobGraceHours: values.BLOB_GRACE_HOURS ?? 6,
    acceptImports: values.ACCEPT_IMPORTS ?? true,
    importLimit: values.IMPORT_LIMIT ?? 256_000_000,
    jsonLimit: values.JSON_LIMIT ?? 150 * 1024,
    corsOrigins: corsOrigins.includes("*") ? "*" : corsOrigins,
    dataLocation: locationOf(values.DATA_LOCATION),
    signingCurve: values.SIGNING_CURVE ?? "k256",
    rateLimits: values.RATE_LIMITS ?? (isLocal ? "sensitive" : "on"),
    rateLimitBypassKey:
      values.RATE_LIMIT_BYPASS_KEY === undefined
        ? undefined
        : Redacted.make(values.RATE_LIMIT_BYPASS_KEY),
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
    debugRows: values.DEBUG_ROWS ?? false
  }
}

const neededForMail = {
  none: [],
  captured: [],
  http: ["MAIL_FROM", "MAIL_HTTP_URL", "MAIL_HTTP_TOKEN"],
  cloudflare: ["MAIL_FROM"]
} as const satisfies Record<(typeof mailers)[number], ReadonlyArray<Variable>>

const missingForMail = (values: Values): Array<Problem> => {
  const kind = values.MAILER ?? "none"
  return neededForMail[kind]
    .filter((variable) => values[variable] === undefined)
    .map((variable) => ({ variable, message: `is missing: MAILER=${kind} needs it` }))
}

/** Rules between variables. */
const conflictsOf = (settings: Settings, values: Values): Array<Problem> => [
  ...missingForMail(values),
  ...(settings.isLocal || settings.devAllowHosts.length === 0
    ? []
    : [
        {
          variable: "DEV_ALLOW_HOSTS",
          message: "is for development: it is refused while PUBLIC_URL is a public host"
        }
      ])
]

/** Reads the settings from the environment, synchronously; the failure lists every problem. */
export const read = (
  env: Readonly<Record<string, unknown>>
): Result.Result<Settings, Misconfigured> => {
  const values = known(env)
  const decoded = decode(values)
  if (Result.isFailure(decoded)) {
    return Result.fail(new Misconfigured({ problems: problemsOf(values, decoded.failure.issue) }))
  }
  const settings = settingsOf(decoded.success)
  const problems = conflictsOf(settings, decoded.success)
  return problems.length === 0
    ? Result.succeed(settings)
    : Result.fail(new Misconfigured({ problems }))
}

/** The settings from a record of strings: a Worker's bindings or `process.env`. */
export const layer = (env: Readonly<Record<string, unknown>>): Layer.Layer<Config, Misconfigured> =>
  Layer.effect(
    Config,
    Effect.suspend(() => Effect.fromResult(read(env)))
  )
