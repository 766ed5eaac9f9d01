import type { VariableName } from "./variables.ts"

/** A variable's default and meaning, in Markdown, for the reference page and the command's help. */
interface VariableText {
  /** Undefined if the variable is required. */
  readonly default?: string
  readonly meaning: string
}

/** The texts of the variables; not part of the Worker. */
export const variableTexts: { readonly [V in VariableName]: VariableText } = {
  PUBLIC_URL: {
    default: "`http://localhost:8787`",
    meaning:
      "the server's origin: https and a host name (http for localhost only), nothing after it"
  },
  SERVICE_DID: { default: "the `did:web` of `PUBLIC_URL`", meaning: "the server's own DID" },
  HANDLE_DOMAINS: {
    default: "the host of `PUBLIC_URL`; `test` on localhost",
    meaning:
      "domains under which accounts get handles. Names below them count as this server, so the server sends no request to them"
  },
  MASTER_KEY: {
    meaning: "32 random bytes in base64url; wraps the accounts' keys, derives token secrets"
  },
  MASTER_KEY_PREVIOUS: {
    default: "none",
    meaning:
      "the master key before `MASTER_KEY`, while `nacre secret rotate MASTER_KEY` replaces it, or to restore a backup made under it"
  },
  PLC_ROTATION_KEY: {
    meaning:
      "a K-256 private key, 32 bytes in hexadecimal; the host's key among the rotation keys of its `did:plc` accounts"
  },
  PLC_ROTATION_KEY_PREVIOUS: {
    default: "none",
    meaning:
      "the key before `PLC_ROTATION_KEY`, while `nacre secret rotate PLC_ROTATION_KEY` replaces it in the accounts' DIDs"
  },
  ADMIN_PASSWORD: { meaning: "the password of `admin`, at least 16 characters" },
  PLC_URL: { default: "`https://plc.directory`", meaning: "the PLC directory" },
  DOH_URL: {
    default: "`https://cloudflare-dns.com/dns-query`",
    meaning: "a DNS-over-HTTPS service that answers JSON"
  },
  RELAYS: {
    default: "`https://bsky.network`; none on localhost",
    meaning:
      "relays to ask for a crawl, or `none`. On localhost only relays on the same machine, such as `http://127.0.0.1:2470` with `DEV_ALLOW_HOSTS=127.0.0.1:2470`"
  },
  APP_VIEW: {
    default: "`did:web:api.bsky.app#bsky_appview https://api.bsky.app`",
    meaning:
      "the service that answers methods this server doesn't have: its DID with `#service`, then optionally a space and its origin, which spares a look at its DID document. With `none` such methods answer 501"
  },
  CHAT_SERVICE: {
    default: "`did:web:api.bsky.chat#bsky_chat https://api.bsky.chat`",
    meaning: "the same for `chat.bsky.*`"
  },
  MOD_SERVICE: {
    default: "`did:plc:ar7c4by46qjdydhdevvrndac#atproto_labeler https://mod.bsky.app`",
    meaning: "the same for `tools.ozone.*`"
  },
  REPORT_SERVICE: { default: "as `MOD_SERVICE`", meaning: "the same for reports" },
  MODERATORS: {
    default: "none",
    meaning:
      "DIDs of moderation services that may moderate here with their service tokens: `did:web:ozone.example.com`. Name a labeler with its own key, not a person's account. `MOD_SERVICE` does not grant this"
  },
  INVITE_REQUIRED: { default: "`on`", meaning: "whether a sign-up needs an invite" },
  BLOB_LIMIT: { default: "`104857600` (100 MiB)", meaning: "the largest blob, in bytes" },
  BLOB_QUOTA: {
    default: "`50000000000` (50 GB)",
    meaning: "how many bytes of blobs one account may store; `0` for no limit"
  },
  BLOB_MIME_TYPES: {
    default: "`*/*`",
    meaning: "accepted types of blobs, such as `image/*, video/mp4`"
  },
  BLOB_GRACE_HOURS: {
    default: "`6`",
    meaning: "hours that an upload without a record is kept (and up to a day longer); at least 1"
  },
  ACCEPT_IMPORTS: { default: "`on`", meaning: "whether `importRepo` accepts repos" },
  IMPORT_LIMIT: {
    default: "`256000000`",
    meaning:
      "the largest CAR that `importRepo` accepts, and the most its records may take together, in bytes. Repos above about 400,000 records are rejected in any case: their index doesn't fit into an isolate's memory. One account at a time imports in an isolate; others get 503 with `Retry-After`"
  },
  JSON_LIMIT: {
    default: "`153600` (150 KiB)",
    meaning: "the largest JSON body, in bytes; writes of records may use 2 MiB"
  },
  CORS_ORIGINS: { default: "`*`", meaning: "origins that browsers may call from" },
  ACCESS_TOKEN_MINUTES: {
    default: "`120`",
    meaning: "how long the access token of a session with a password lives: 5 to 1440 minutes"
  },
  SESSION_DAYS: {
    default: "`90`",
    meaning:
      "how long a session with a password lives after its last refresh: 1 to 365 days. Sessions keep what they were opened or last refreshed with"
  },
  OAUTH_ACCESS_TOKEN_MINUTES: {
    default: "`15`",
    meaning: "how long the access token of an OAuth app lives: 1 to 30 minutes"
  },
  OAUTH_PUBLIC_SESSION_DAYS: {
    default: "`14`",
    meaning: "how long the session of an app without a key of its own lives: 1 to 14 days"
  },
  OAUTH_CONFIDENTIAL_SESSION_DAYS: {
    default: "`180`",
    meaning:
      "how long the session of an app with a key of its own lives after its last refresh: 1 to 180 days"
  },
  STREAM_RETENTION_HOURS: {
    default: "`72`",
    meaning:
      "how long the event stream keeps events: 24 to 720 hours. Above 6 GB the oldest go earlier"
  },
  DELETION_DELAY: {
    default: "`pages`",
    meaning:
      "which deletions wait three days and can be undone: those from the account page and by `nacre account delete` (`pages`), also those by the protocol's methods (`always`), or none (`off`)"
  },
  STRICT: {
    default: "`off`",
    meaning:
      "whether `/ready` also warns about settings that are laxer than a public server needs: `CORS_ORIGINS=*`"
  },
  DATA_LOCATION: {
    default: "none",
    meaning:
      "a jurisdiction (`eu`, `fedramp`) or a hint (`wnam`, `enam`, `sam`, `weur`, `eeur`, `apac`, `oc`, `afr`, `me`)"
  },
  SIGNING_CURVE: {
    default: "`k256`",
    meaning: "the curve of new accounts' signing keys: `k256` or `p256`"
  },
  RATE_LIMITS: {
    default: "`on`; `sensitive` on localhost",
    meaning:
      "`on` enforces all rate limits. `sensitive` limits sign-in, sign-up and the like, and only reports the rest in headers. `off` limits nothing"
  },
  RATE_LIMIT_BYPASS_KEY: {
    default: "none",
    meaning:
      "at least 16 characters; requests that carry it in `x-ratelimit-bypass` are not counted by address"
  },
  METRICS_TOKEN: {
    default: "none",
    meaning:
      "at least 16 characters; a client that sends it as `Authorization: Bearer` may read `/metrics`, which answers 404 if the variable isn't set"
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    default: "none",
    meaning:
      "the collector that gets traces by OTLP over HTTP (JSON), at `/v1/traces` below this URL; without it nothing is traced"
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    default: "none",
    meaning: "headers for the collector: `authorization=Bearer%20…`, several separated by commas"
  },
  OTEL_TRACES_SAMPLER_ARG: {
    default: "`0.1`",
    meaning: "the part of requests that is traced, from 0 to 1"
  },
  LOG_LEVEL: { default: "`info`", meaning: "`trace`, `debug`, `info`, `warn`, `error` or `none`" },
  PRIVACY_POLICY_URL: { default: "none", meaning: "shown by describeServer, `/` and the pages" },
  TERMS_OF_SERVICE_URL: { default: "none", meaning: "shown by describeServer, `/` and the pages" },
  CONTACT_EMAIL: { default: "none", meaning: "shown by describeServer, `/` and the pages" },
  BRAND_NAME: {
    default: "the host of `PUBLIC_URL`",
    meaning: "the name at the top of the sign-in and account pages"
  },
  BRAND_LOGO_URL: { default: "none", meaning: "the https address of a picture beside the name" },
  BRAND_COLOR: {
    default: "indigo",
    meaning:
      "the color of buttons, such as `#4a5bd0`; their text becomes black or white, whichever reads better"
  },
  BRAND_BACKGROUND: {
    default: "mother-of-pearl",
    meaning: "the background of the pages: a color, or the https address of a picture"
  },
  BRAND_LINKS: {
    default: "none",
    meaning:
      "links in the footer of the pages: `Home=https://example.com, Help=https://example.com/help`"
  },
  DEV_ALLOW_HOSTS: {
    default: "none",
    meaning:
      "for development: addresses (`host[:port]`) of your machine or network that the server may send requests to; rejected while `PUBLIC_URL` is a public host"
  },
  MAILER: {
    default: "`none`",
    meaning:
      "how mail leaves: `http` (a provider's API), `cloudflare` (a `send_email` binding named `MAIL`), `captured` (kept in memory, for tests), `worker` (the mailer that `createNacre` was given, which sets this), `none` (the account pages ask for the password or a passkey instead of a code; `nacre account codes` shows the code for a forgotten password)"
  },
  MAIL_FROM: {
    default: "none",
    meaning:
      "the sender of mails: `pds@example.com` or `Our PDS <pds@example.com>`; required by `http` and `cloudflare`"
  },
  MAIL_HTTP_URL: {
    default: "none",
    meaning:
      "required by `http`: receives a POST of JSON `{from, to: [address], subject, text}`, as `https://api.resend.com/emails` does"
  },
  MAIL_HTTP_TOKEN: {
    default: "none",
    meaning: "required by `http`: sent as `Authorization: Bearer`"
  },
  BACKUP_AT: {
    default: "`03:00`",
    meaning: "when the nightly backup begins, in UTC; it needs a cron trigger and a backup store"
  },
  BACKUP_KEEP: {
    default: "`7,4,12`",
    meaning: "how many days, weeks and months keep their newest backup"
  },
  BACKUP_DELETED_DAYS: {
    default: "`30`",
    meaning: "how many days the backups of a deleted account are kept"
  },
  BACKUP_S3_URL: {
    default: "the bucket that is bound as `BACKUPS`",
    meaning:
      "an S3-compatible backup store: `https://<host>/<bucket>`, optionally with a prefix. Without it and without `BACKUPS` there are no backups"
  },
  BACKUP_S3_KEY_ID: { default: "none", meaning: "the access key ID for `BACKUP_S3_URL`" },
  BACKUP_S3_SECRET: { default: "none", meaning: "the secret of `BACKUP_S3_KEY_ID`" },
  BACKUP_S3_REGION: { default: "`auto`", meaning: "the region of `BACKUP_S3_URL`" },
  BLOB_S3_URL: {
    default: "files in the data folder",
    meaning:
      "on a machine of your own: an S3-compatible store of new blobs, `https://<host>/<bucket>`, optionally with a prefix; another one than `BACKUP_S3_URL`. On Cloudflare, blobs are in the bucket that is bound as `BLOBS`"
  },
  BLOB_S3_KEY_ID: { default: "none", meaning: "the access key ID for `BLOB_S3_URL`" },
  BLOB_S3_SECRET: { default: "none", meaning: "the secret of `BLOB_S3_KEY_ID`" },
  BLOB_S3_REGION: { default: "`auto`", meaning: "the region of `BLOB_S3_URL`" },
  ALERT_EMAIL: {
    default: "none",
    meaning: "where the watch mails its alerts; it needs a `MAILER` and a cron trigger"
  },
  ALERT_WEBHOOK: {
    default: "none",
    meaning:
      "an https URL that gets a POST when an alert begins and when it ends; public addresses only"
  },
  ALERT_WEBHOOK_FORMAT: {
    default: "by its host: ntfy, Slack and Discord get their own form, any other JSON",
    meaning: "the form of the webhook's message: `json`, `ntfy`, `slack` or `discord`"
  },
  DEBUG_ROWS: {
    default: "`off`",
    meaning:
      "for the bench: the header `x-rows-written` reports how many rows all objects of this isolate have written so far"
  }
}
