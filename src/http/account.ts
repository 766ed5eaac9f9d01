import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { calledUrl } from "../core/lexicon/calledUrl.ts"
import { AccountHistory } from "../services/accounts/AccountHistory.ts"
import { notifyOwner } from "../services/accounts/notifyOwner.ts"
import { recordsPath } from "../services/backups/archive/archive.ts"
import { archiveRecords } from "../services/backups/archive/records.ts"
import { Config } from "../services/host/Config.ts"
import { namedIdOf, RequestId } from "../services/host/RequestId.ts"
import { RequestOrigin } from "../services/host/RequestOrigin.ts"
import { SharedTurn } from "../services/host/SharedTurn.ts"
import type { DpopProofs } from "../services/oauth/DpopProofs.ts"
import * as Soon from "../services/host/Soon.ts"
import { authenticate } from "../services/sessions/Auth.ts"
import { nsidOf } from "./CurrentRequest.ts"
import { asError, failures } from "./errors.ts"
import { answerQuery } from "./queryNow.ts"
import { finishBody } from "./responses.ts"
import { accountMethods } from "./methods.ts"
import { answerAuthorize } from "./proxy/authorize.ts"
import { seenFromRequest } from "./sessions/place.ts"
import { serveAtOnce, serveSoon, settled } from "./atOnce.ts"
import { credentialsOf } from "./sessions/credentials.ts"
import { serve } from "./Xrpc.ts"

/** Streams the records for an archive; only the Worker asks for them, as the administrator. */
const serveRecords = Effect.fnUntraced(
  function* (request: Request) {
    yield* authenticate(credentialsOf(request), { kind: "admin" }, recordsPath)
    return yield* archiveRecords
  },
  Effect.catch((failure) => Effect.succeed(asError(failure)))
)

type Services = Effect.Services<ReturnType<typeof serveCall>> | DpopProofs | SharedTurn

/** Answers a client's request that has nothing to wait for but a body; undefined for any other. */
const answerClient = (request: Request, services: Context.Context<Services>) => {
  const url = calledUrl(request.url)
  return request.method === "POST"
    ? serveSoon(accountMethods, services, request, url)
    : serveAtOnce(accountMethods, services, request, {
        nsid: nsidOf(url) ?? "",
        searchParams: url.searchParams
      })
}

/** Answers the Worker's own question; undefined for a client's request. */
const answerWorker = (request: Request, services: Context.Context<Services>) =>
  answerQuery(request, services) ?? answerAuthorize(request, services)

/** Answers without a fiber as far as possible; undefined for a request that needs one. */
const answerAtOnce = (
  request: Request,
  services: Context.Context<Services>
): Response | Promise<Response> | undefined => {
  if (Context.get(services, AccountHistory).hasUnsent()) return undefined
  const asked = answerWorker(request, services)
  if (asked !== undefined) return settled(asked, services)
  const named = Context.add(services, RequestId, namedIdOf(request))
  const answered = answerClient(request, named)
  return answered instanceof Promise ? answered : answered && settled(answered, named)
}

/** Answers a request in its account's object. */
const serveAccount = (request: Request) =>
  Effect.contextWith((services: Context.Context<Services>) => {
    const answered = answerWorker(request, services) ?? answerClient(request, services)
    if (answered === undefined) return serveCall(request)
    const response =
      answered instanceof Promise
        ? Effect.promise(() => answered)
        : Effect.catch(Soon.toEffect(answered), (failure) => Effect.succeed(asError(failure)))
    const isWaiting = Context.get(services, AccountHistory).hasUnsent()
    return isWaiting ? Effect.ensuring(response, notifyOwner) : response
  })

const serveCall = Effect.fnUntraced(function* (request: Request) {
  const config = yield* Config
  const url = new URL(request.url)
  if (url.pathname === recordsPath) return yield* serveRecords(request)
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
export const accountApp = { serve: serveAccount, answerAtOnce, failures }
