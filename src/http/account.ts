import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { calledUrl } from "../core/lexicon/calledUrl.ts"
import { AccountHistory } from "../services/accounts/AccountHistory.ts"
import { notifyOwner } from "../services/accounts/notifyOwner.ts"
import { recordsPath } from "../services/backups/archive/archive.ts"
import { archiveRecords } from "../services/backups/archive/records.ts"
import { Config } from "../services/host/Config.ts"
import { RequestOrigin } from "../services/host/RequestOrigin.ts"
import { SharedTurn } from "../services/host/SharedTurn.ts"
import { Auth } from "../services/sessions/Auth.ts"
import { nsidOf } from "./CurrentRequest.ts"
import { asError, failures } from "./errors.ts"
import { answerQuery, isQuestion, unanswered } from "./queryNow.ts"
import { finishBody } from "./responses.ts"
import { accountMethods } from "./methods.ts"
import { authorizeAtOnce, authorizePath, unauthorized } from "./proxy/authorize.ts"
import { seenFromRequest } from "./sessions/place.ts"
import { serveAtOnce, serveSoon } from "./atOnce.ts"
import { credentialsOf, serve } from "./Xrpc.ts"

/** Streams the records for an archive; only the Worker asks for them, as the administrator. */
const serveRecords = Effect.fnUntraced(
  function* (request: Request) {
    yield* (yield* Auth).authenticate(credentialsOf(request), { kind: "admin" }, recordsPath)
    return yield* archiveRecords
  },
  Effect.catch((failure) => Effect.succeed(asError(failure)))
)

type Services = Effect.Services<ReturnType<typeof serveCall>> | AccountHistory | SharedTurn

/**
 * Answers a query, or a session's write, that has nothing to wait for but a body; undefined for any
 * other request.
 */
const answerAtOnce = (
  request: Request,
  services: Context.Context<Services>
): Response | Promise<Response> | undefined => {
  if (Context.get(services, AccountHistory).hasUnsent()) return undefined
  const url = calledUrl(request.url)
  if (url.pathname === authorizePath) return authorizeAtOnce(request, url, services)
  return request.method === "POST"
    ? serveSoon(accountMethods, Context.get(services, Config), services, request, url)
    : serveAtOnce(accountMethods, services, request, {
        nsid: nsidOf(url) ?? "",
        searchParams: url.searchParams
      })
}

/** Answers an XRPC request in its account's object. */
const serveAccount = (request: Request) =>
  Effect.contextWith((services: Context.Context<Services>) => {
    const answered = answerQuery(request, services) ?? answerAtOnce(request, services)
    if (answered === undefined) return serveCall(request)
    return answered instanceof Response ? Effect.succeed(answered) : Effect.promise(() => answered)
  })

const serveCall = Effect.fnUntraced(function* (request: Request) {
  const config = yield* Config
  const url = new URL(request.url)
  if (url.pathname === recordsPath) return yield* serveRecords(request)
  if (url.pathname === authorizePath) return unauthorized()
  if (isQuestion(request.url)) return unanswered()
  const answer = yield* serve(accountMethods, config, request, url).pipe(
    Effect.ensuring(notifyOwner),
    Effect.provideService(RequestOrigin, {
      get from() {
        return seenFromRequest(request)
      }
    })
  )
  yield* finishBody(request, config)
  return answer
})

/** The HTTP app of an account's object. */
export const accountApp = { serve: serveAccount, answerQuery, answerAtOnce, failures }
