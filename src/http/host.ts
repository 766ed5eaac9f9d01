import { randomUUID } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Accounts } from "../services/Accounts.ts"
import type { Auth } from "../services/Auth.ts"
import type { BlobStore } from "../services/BlobStore.ts"
import { Config } from "../services/Config.ts"
import type { Directory } from "../services/Directory.ts"
import type { HostedIdentities } from "../services/HostedIdentities.ts"
import type { Identity } from "../services/Identity.ts"
import type { AddressLimits, Limiter } from "../services/Limiter.ts"
import type { Sequencer } from "../services/Sequencer.ts"
import { billed } from "../services/SqlStorage.ts"
import type { SignUp } from "../services/SignUp.ts"
import { accountMethods } from "./account.ts"
import { countRequest } from "./clientLimits.ts"
import { corsHeaders, isPreflight, preflight } from "./cors.ts"
import { errorResponse, wireError } from "./errors.ts"
import * as Health from "./health.ts"
import { home } from "./home.ts"
import { reopened, withHeaders } from "./responseHeaders.ts"
import { accountOf } from "./route.ts"
import * as WellKnown from "./wellKnown.ts"
import { nsidOf, serve, table } from "./Xrpc.ts"
import { blobMethods } from "./xrpc/host/blobs.ts"
import { syncMethods } from "./xrpc/host/sync.ts"
import { hostMethods as declared } from "./xrpc/host/methods.ts"

/** The methods that the Worker answers itself. */
export const hostMethods = table(...declared, blobMethods, syncMethods)

/** Who the request was for, as far as the Worker knows: for the log. */
interface Noted {
  account?: string
  /** The answer came from another object: its headers cannot be changed. */
  forwarded?: true
  limits: Readonly<Record<string, string>>
}

const xrpc = Effect.fnUntraced(function* (request: Request, url: URL, noted: Noted) {
  const nsid = nsidOf(url) ?? ""
  noted.limits = yield* countRequest(request, nsid)
  const forwarded = hostMethods.has(nsid) ? undefined : accountMethods.get(nsid)
  if (forwarded === undefined) {
    const { jsonLimit } = yield* Config
    return yield* serve(hostMethods, { jsonLimit }, request, url)
  }
  const did = yield* accountOf(forwarded.authority, request, url)
  noted.account = did
  noted.forwarded = true
  return yield* (yield* Accounts).forward(did, request)
})

/** What every answer of the server passes through: CORS, one log line, and no failure without an answer. */
const answer = <R>(
  make: (
    request: Request,
    url: URL,
    noted: Noted
  ) => Effect.Effect<Response, Parameters<typeof wireError>[0], R>
) =>
  Effect.gen(function* () {
    const request = (yield* HttpServerRequest.HttpServerRequest).source as Request
    const started = yield* Clock.currentTimeMillis
    const url = new URL(request.url)
    const noted: Noted = { limits: {} }
    const config = yield* Config
    if (isPreflight(request)) return HttpServerResponse.raw(preflight(request, config))
    const made = yield* make(request, url, noted).pipe(
      Effect.catch((failure) => Effect.succeed(errorResponse(wireError(failure)))),
      Effect.catchCause((cause) =>
        Effect.as(Effect.logError("request failed", cause), errorResponse(internalError))
      )
    )
    const answered = noted.forwarded === true ? reopened(made) : made
    const rows = config.debugRows ? { "x-rows-written": String(billed.rows) } : {}
    const response = withHeaders(answered, noted.limits, corsHeaders(request, config), rows)
    yield* Effect.logInfo("request").pipe(
      Effect.annotateLogs({
        id: request.headers.get("cf-ray") ?? randomUUID(),
        http: request.method,
        method: nsidOf(url) ?? url.pathname,
        account: noted.account,
        status: response.status,
        ms: (yield* Clock.currentTimeMillis) - started
      })
    )
    return HttpServerResponse.raw(response, { status: response.status })
  })

const internalError = {
  status: 500,
  error: "InternalServerError",
  message: "Internal Server Error"
}

/** The whole HTTP app of the host. */
export const routes = HttpRouter.use((router) =>
  Effect.gen(function* () {
    yield* router.add(
      "*",
      "/xrpc/_health",
      answer(() => Health.xrpcHealth())
    )
    yield* router.add("*", "/xrpc/*", answer(xrpc))
    yield* router.add(
      "GET",
      "/health",
      answer(() => Health.ready())
    )
    yield* router.add(
      "GET",
      "/ready",
      answer(() => Health.ready())
    )
    yield* router.add(
      "GET",
      "/.well-known/did.json",
      answer((_, url) => WellKnown.didDocument(url))
    )
    yield* router.add(
      "GET",
      "/.well-known/atproto-did",
      answer((_, url) => WellKnown.atprotoDid(url))
    )
    yield* router.add(
      "GET",
      "/robots.txt",
      answer(() => Effect.sync(WellKnown.robots))
    )
    yield* router.add(
      "GET",
      "/",
      answer(() => home())
    )
    yield* router.add(
      "*",
      "/*",
      answer(() => Effect.succeed(new Response("Not Found\n", { status: 404 })))
    )
  })
)

/** What the routes ask for. */
export type HostServices =
  | Accounts
  | AddressLimits
  | Auth
  | BlobStore
  | Config
  | Directory
  | HostedIdentities
  | Identity
  | Limiter
  | Sequencer
  | SignUp
