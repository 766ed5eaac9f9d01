import * as Effect from "effect/Effect"
import { Config, type Misconfigured, type Settings } from "../../services/host/Config.ts"
import { newerData } from "../../services/host/HostKeys.ts"
import { Readiness } from "../../services/host/Readiness.ts"
import { version } from "../../core/host/version.ts"
import { Mailer } from "../../services/mail/Mailer.ts"
import { errorResponse } from "../errors.ts"
import { jsonType } from "../responses.ts"

const json = (body: object, status: number) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": jsonType, "cache-control": "no-store" }
  })

/** `/xrpc/_health`: the version; 503 if the directory is unreachable. */
export const xrpcHealth = Effect.fn("http.xrpcHealth")(function* () {
  const { d1 } = yield* Readiness
  return (yield* d1) === "ok"
    ? json({ version }, 200)
    : json({ version, error: "Service Unavailable" }, 503)
})

/**
 * Settings that work but are probably unintended: a server with a public name that considers itself
 * local, and with STRICT anything laxer than a public server needs.
 */
export const settingWarnings = (
  url: URL,
  { corsOrigins, isLocal, publicUrl, strict }: Settings
): ReadonlyArray<{ readonly variable: string; readonly message: string }> => [
  ...(isLocal && !/^(localhost|127\.0\.0\.1|\[::1\]|.*\.test)$/.test(url.hostname)
    ? [{ variable: "PUBLIC_URL", message: `is ${publicUrl}: set it to this server's own origin` }]
    : []),
  ...(strict && !isLocal && corsOrigins === "*"
    ? [
        {
          variable: "CORS_ORIGINS",
          message: "is *: every website may call this server. Name the origins of your apps"
        }
      ]
    : [])
]

/** `/health` and `/ready`: whether each dependency responds. */
export const ready = Effect.fn("http.ready")(function* (url: URL) {
  const config = yield* Config
  const { alerts, backups, ...dependencies } = yield* Readiness
  const checks = yield* Effect.all(dependencies, { concurrency: "unbounded" })
  const isReady = Object.values(checks).every((check) => check === "ok")
  const warnings = settingWarnings(url, config)
  // Without mail, users get codes from the administrator, as the pages say.
  const sendsMail = (yield* Mailer).delivers
  const backup = yield* backups
  const watched = yield* alerts
  const details = {
    sendsMail,
    ...(backup === undefined ? {} : { backup }),
    ...(watched === undefined ? {} : { alerts: watched.open }),
    ...(warnings.length === 0 ? {} : { warnings })
  }
  return json({ ready: isReady, version, checks, ...details }, isReady ? 200 : 503)
})

/**
 * The response to every request of a misconfigured server.
 *
 * `/ready` lists the variables and their requirements; no message contains a value.
 */
export const misconfigured = (url: URL, { problems }: Pick<Misconfigured, "problems">): Response =>
  url.pathname === "/ready"
    ? json({ ready: false, version, problems }, 503)
    : problems.some(({ variable }) => variable === newerData.variable)
      ? errorResponse({
          status: 503,
          error: "ServerOutdated",
          message: `This server's data ${newerData.message}`
        })
      : errorResponse({
          status: 503,
          error: "ServerMisconfigured",
          message: "This server is not configured; its log and /ready say what is wrong"
        })
