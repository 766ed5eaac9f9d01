import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { administratorPassword, isAdmin } from "../core/sessions/authorization.ts"
import { Config, type Settings } from "../services/host/Config.ts"
import { billed } from "../services/host/SqlStorage.ts"
import type { DpopProofs } from "../services/oauth/DpopProofs.ts"
import type { LimiterUnavailable, RateLimitExceeded } from "../services/limits/Limiter.ts"
import { corsHeaders, isForScripts, isPreflight, preflight } from "./cors.ts"
import { CurrentRequest } from "./CurrentRequest.ts"
import { asError, errorResponse, type Failure } from "./errors.ts"
import { storageFault } from "./host/storageFault.ts"
import { countRequest, limitAdministrator } from "./limits/clientLimits.ts"
import { limitsOf } from "./methods.ts"
import { oauthError, oauthErrorResponse } from "./oauth/errors.ts"
import { countRequest as countForMetrics } from "./operators/countRequest.ts"
import { recordAct } from "./operators/recordAct.ts"
import { asPage, type PageFailure } from "./pages/failurePage.ts"
import { logRequest } from "./requestLog.ts"
import { finishBody, reopened, withHeaders } from "./responses.ts"
import { dpopHeaders, forAppAlone } from "./sessions/dpopHeaders.ts"

type Make<E, R> = (request: Request, url: URL) => Effect.Effect<Response, E, R>

/** Turns a route's failures into responses of its own form. */
type Form<E, In> = <R>(
  made: Effect.Effect<Response, E, R>
) => Effect.Effect<Response, never, R | In>

/** Why a request fails at its address's rate limits. */
type Admission = RateLimitExceeded | LimiterUnavailable

/** Counts a request towards the general rate limits, and notes the administrator's password. */
const admit = Effect.fnUntraced(function* (current: CurrentRequest["Service"], config: Settings) {
  const { request, nsid } = current
  current.limits = yield* countRequest(request, limitsOf(nsid))
  const password = administratorPassword(current.authorization)
  if (password === undefined) return
  const isRight = isAdmin(password, Redacted.value(config.adminPassword))
  yield* limitAdministrator(request, isRight)
  if (isRight) current.operator = "password"
})

/** Answers defects as internal errors. */
export const withoutDefects = <R>(made: Effect.Effect<Response, never, R>) =>
  Effect.catchCause(made, (cause) =>
    Effect.as(
      Effect.logError("request failed", cause),
      errorResponse(storageFault(cause) ?? internalError)
    )
  )

/** Adds the headers of every response: rate limits, CORS, and those for an app. */
export const dressed = (
  made: Response,
  current: CurrentRequest["Service"],
  services: Context.Context<Config | DpopProofs>
): Response => {
  const config = Context.get(services, Config)
  const forApps = dpopHeaders(current, made, services)
  const answered = current.isForwarded ? reopened(made) : made
  const rows = config.debugRows ? { "x-rows-written": String(billed.rows) } : {}
  const cors = isForScripts(answered) ? corsHeaders(current.request, config) : {}
  return withHeaders(forAppAlone(answered, forApps), current.limits, forApps, cors, rows)
}

/** Applies to every response: rate limits, failures as responses, and CORS. */
const respond = Effect.fnUntraced(function* <E, In, R>(
  make: Make<E, R>,
  form: Form<E | Admission, In>
) {
  const current = yield* CurrentRequest
  const { request, url } = current
  const config = yield* Config
  if (isPreflight(request)) return preflight(request, config)
  const admitted = Effect.andThen(admit(current, config), make(request, url))
  const made = yield* withoutDefects(form(admitted))
  yield* finishBody(request, config)
  return dressed(made, current, yield* Effect.context<Config | DpopProofs>())
})

/** Answers a route in one form, and logs the request. */
const inForm =
  <E, In>(form: Form<E | Admission, In>) =>
  <R>(make: Make<E, R>) =>
    Effect.gen(function* () {
      const started = yield* Clock.currentTimeMillis
      const current = yield* CurrentRequest
      const made = yield* respond(make, form)
      const { operator } = current
      const response = operator === undefined ? made : yield* recordAct(made, operator, current)
      const { status } = response
      yield* logRequest(current, status, started)
      yield* countForMetrics(current, status, started)
      return response
    })

/** Turns failures into the protocol's errors. */
export const inProtocol: Form<Failure, never> = (made) =>
  Effect.catch(made, (failure) => Effect.succeed(asError(failure)))

/** A route that responds with the protocol's errors. */
export const answer = inForm<Failure, never>(inProtocol)

/** A page for a person's browser. */
export const visit = inForm<PageFailure, Config>(asPage)

/** An OAuth endpoint for clients. */
export const client = inForm<never, never>((made) =>
  Effect.catch(made, (failure) => Effect.succeed(oauthErrorResponse(oauthError(failure))))
)

export const internalError = {
  status: 500,
  error: "InternalServerError",
  message: "Internal Server Error"
}
