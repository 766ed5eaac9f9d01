import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Accounts } from "../services/accounts/Accounts.ts"
import { Config } from "../services/host/Config.ts"
import { HostKeys } from "../services/host/HostKeys.ts"
import { Identity } from "../services/identity/Identity.ts"
import type { LimiterUnavailable, RateLimitExceeded } from "../services/limits/Limiter.ts"
import { billed } from "../services/host/SqlStorage.ts"
import { isNsid } from "../core/lexicon/syntax.ts"
import { accountMethods } from "./account.ts"
import { adminCodes } from "./mail/adminCodes.ts"
import { adminRelays } from "./stream/adminRelays.ts"
import { countRequest, limitAdministrator } from "./limits/clientLimits.ts"
import { corsHeaders, isForScripts, isPreflight, preflight } from "./cors.ts"
import { dpopHeaders, forAppAlone } from "./sessions/dpopHeaders.ts"
import { errorResponse, type Failure, wireError } from "./errors.ts"
import * as Health from "./host/health.ts"
import { home } from "./host/home.ts"
import type { HostServices } from "./hostServices.ts"
import { oauthError, oauthErrorResponse } from "./oauth/errors.ts"
import { authorizationServer, jwks, protectedResource } from "./oauth/metadata.ts"
import { par } from "./oauth/par.ts"
import { revoke } from "./oauth/revoke.ts"
import { token } from "./oauth/token.ts"
import { withoutBody } from "./withoutBody.ts"
import { listCodes } from "./mail/ownCodes.ts"
import { listPasskeys, makePasskeyLink, removePasskey } from "./factors/ownPasskeys.ts"
import { logRequest, noteAccount, noteRoute } from "./requestLog.ts"
import { reopened, withHeaders } from "./responseHeaders.ts"
import { accountOf } from "./accounts/accountOf.ts"
import { type Answer, finder, isPathOf, type Route, route } from "./routes.ts"
import { finishBody } from "./unreadBody.ts"
import { account } from "./pages/account/routes.ts"
import { asPage, type PageFailure } from "./pages/failurePage.ts"
import { atprotoDid, changePassword, didDocument, robots } from "./identity/wellKnown.ts"
import { authorize } from "./oauth/authorize.ts"
import { postAccept, postReactivate, postReject } from "./oauth/authorizeAnswer.ts"
import { postCode, postPasskey, postSignIn } from "./oauth/authorizeSignIn.ts"
import { postSignUp } from "./oauth/authorizeSignUp.ts"
import { paths } from "./oauth/authorizeVisit.ts"
import { lookAtLink, linkPath, openLink, useLink } from "./factors/linkPage.ts"
import { orOfAppView } from "./proxy/foreignRecord.ts"
import { proxy } from "./proxy/proxy.ts"
import { isElsewhere, isForThisServer } from "./proxy/rules.ts"
import { type Method, nsidOf, serve, table } from "./Xrpc.ts"
import { blobMethods } from "./blobs/methods.ts"
import { recoveryMethods } from "./accounts/recovery.ts"
import { importRepo } from "./repo/importMethod.ts"
import { syncMethods } from "./stream/methods.ts"
import { hostMethods as declared } from "./host/methods.ts"
import { OwnMethods, serveOwn } from "./host/ownMethods.ts"

/** The methods that the Worker answers itself. */
export const hostMethods = table(
  ...declared,
  blobMethods,
  [importRepo],
  syncMethods,
  recoveryMethods
)

/** What the way to an answer leaves for its headers. */
interface Noted {
  /** The answer came from another object: its headers cannot be changed. */
  forwarded?: true
  limits: Readonly<Record<string, string>>
}

/** The methods of an account that change its DID document. */
const changesIdentity: ReadonlySet<string> = new Set([
  "com.atproto.identity.submitPlcOperation",
  "com.atproto.identity.updateHandle"
])

/** Hands a method on to the object of its account. */
const forward = Effect.fnUntraced(function* (
  nsid: string,
  { authority }: Pick<Method, "authority">,
  request: Request,
  url: URL,
  noted: Noted
) {
  const did = yield* accountOf(authority, request, url)
  noteAccount(request, did)
  noted.forwarded = true
  const answered = yield* (yield* Accounts).forward(did, request)
  // What this isolate remembers of the account is not so any more.
  if (answered.ok && changesIdentity.has(nsid)) yield* (yield* Identity).forget(did)
  return answered
})

const xrpc = Effect.fnUntraced(function* (request: Request, url: URL, noted: Noted) {
  const nsid = nsidOf(url) ?? ""
  const config = yield* Config
  const own = yield* OwnMethods
  const added = own.methods.get(nsid)
  if (added !== undefined && isForThisServer(request.headers.get("atproto-proxy"), config)) {
    return yield* serveOwn(own, added, request, url)
  }
  const forwarded = accountMethods.get(nsid)
  // Whatever is no NSID is told so by the table of methods.
  if (hostMethods.has(nsid) || !isNsid(nsid)) {
    return yield* serve(hostMethods, config, request, url)
  }
  if (forwarded === undefined || isElsewhere(nsid, request.headers.get("atproto-proxy"), config)) {
    return yield* proxy(nsid, request, url)
  }
  const local = forward(nsid, forwarded, request, url, noted)
  return yield* nsid === "com.atproto.repo.getRecord" ? orOfAppView(local, request, url) : local
})

type Make<E, R> = (request: Request, url: URL, noted: Noted) => Effect.Effect<Response, E, R>

/** Turns the failures of a kind of route into responses of its own form. */
type Form<E, In> = <R>(
  made: Effect.Effect<Response, E, R>
) => Effect.Effect<Response, never, R | In>

/** Why a request gets no further than the limits of its address. */
type Admission = RateLimitExceeded | LimiterUnavailable

/** Counts a request towards the limits that hold whichever route it takes. */
const admit = Effect.fnUntraced(function* (request: Request, url: URL, noted: Noted) {
  noted.limits = yield* countRequest(request, nsidOf(url) ?? "")
  yield* limitAdministrator(request)
})

/** What every answer passes through: limits, no failure without an answer, and CORS. */
const respond = Effect.fnUntraced(function* <E, In, R>(
  make: Make<E, R>,
  form: Form<E | Admission, In>,
  request: Request,
  url: URL
) {
  const config = yield* Config
  if (isPreflight(request)) return preflight(request, config)
  const noted: Noted = { limits: {} }
  const admitted = Effect.andThen(admit(request, url, noted), make(request, url, noted))
  const made = yield* form(admitted).pipe(
    Effect.catchCause((cause) =>
      Effect.as(Effect.logError("request failed", cause), errorResponse(internalError))
    )
  )
  yield* finishBody(request)
  const answered = noted.forwarded === true ? reopened(made) : made
  const rows = config.debugRows ? { "x-rows-written": String(billed.rows) } : {}
  const forApps = yield* dpopHeaders(request, answered)
  const cors = isForScripts(answered) ? corsHeaders(request, config) : {}
  return withHeaders(forAppAlone(answered, forApps), noted.limits, cors, forApps, rows)
})

/** What a route answers in one form, and a line in the log. */
const inForm =
  <E, In>(form: Form<E | Admission, In>) =>
  <R>(make: Make<E, R>) =>
    Effect.fnUntraced(function* (request: Request, url: URL) {
      const started = yield* Clock.currentTimeMillis
      const response = yield* respond(make, form, request, url)
      yield* logRequest(request, nsidOf(url) ?? "", response.status, started)
      return response
    })

/** A route that answers by the protocol's errors. */
const answer = inForm<Failure, never>((made) =>
  Effect.catch(made, (failure) => Effect.succeed(errorResponse(wireError(failure))))
)

/** A page for a person's browser. */
const visit = inForm<PageFailure, Config>(asPage)

/** An OAuth endpoint that clients ask. */
const client = inForm<never, never>((made) =>
  Effect.catch(made, (failure) => Effect.succeed(oauthErrorResponse(oauthError(failure))))
)

const internalError = {
  status: 500,
  error: "InternalServerError",
  message: "Internal Server Error"
}

const ready = answer((_, url) => Health.ready(url))

/** Every path of the host. */
export const routes: ReadonlyArray<Route<HostServices>> = [
  route("*", "/xrpc/_health", answer(Health.xrpcHealth)),
  route("*", "/xrpc/*", answer(xrpc)),
  route("GET", "/health", ready),
  route("GET", "/ready", ready),
  route("GET", "/.well-known/did.json", answer(didDocument)),
  route("GET", "/.well-known/atproto-did", answer(atprotoDid)),
  route("*", "/.well-known/oauth-authorization-server", client(authorizationServer)),
  route("*", "/.well-known/oauth-protected-resource", client(protectedResource)),
  route("*", "/oauth/jwks", client(jwks)),
  route("*", "/oauth/par", client(par)),
  route("*", "/oauth/token", client(token)),
  route("*", "/oauth/revoke", client(revoke)),
  route("GET", paths.page, visit(authorize)),
  route("POST", paths.signIn, visit(postSignIn)),
  route("POST", paths.code, visit(postCode)),
  route("POST", paths.passkey, visit(postPasskey)),
  route("POST", paths.signUp, visit(postSignUp)),
  route("POST", paths.accept, visit(postAccept)),
  route("POST", paths.reject, visit(postReject)),
  route("POST", paths.reactivate, visit(postReactivate)),
  route(
    "GET",
    "/.well-known/change-password",
    answer(() => Effect.sync(changePassword))
  ),
  route("GET", "/admin/codes", answer(adminCodes)),
  route("GET", "/admin/relays", answer(adminRelays)),
  route("GET", "/manage/codes", answer(listCodes)),
  route("GET", "/manage/passkeys", answer(listPasskeys)),
  route("POST", "/manage/passkeys/link", answer(makePasskeyLink)),
  route("POST", "/manage/passkeys/remove", answer(removePasskey)),
  route("GET", linkPath, visit(lookAtLink)),
  route("POST", linkPath, visit(openLink)),
  route("POST", `${linkPath}/add`, visit(useLink)),
  route("*", "/account/*", visit(account)),
  route(
    "GET",
    "/robots.txt",
    answer((request) => Effect.sync(() => robots(request)))
  ),
  route("GET", "/", answer(home))
]

const find = finder<HostServices>(routes)

/** Whether a path is the server's, whatever the verb: a page of it must not turn into a site's for another verb. */
export const isServersPath: (path: string) => boolean = isPathOf(routes)

/** What is at no path of the host. */
const unrouted: Answer<HostServices> = answer(() =>
  Effect.sync(() => new Response("Not Found\n", { status: 404 }))
)

/** What nothing on the way to an answer has caught. */
const asInternalError = (defect: unknown) =>
  Effect.as(Effect.logError("answer failed", defect), errorResponse(internalError))

/** The whole HTTP app of the host. */
export const serveHost: (request: Request) => Effect.Effect<Response, never, HostServices> =
  Effect.fnUntraced(function* (request) {
    const url = new URL(request.url)
    const problems = yield* (yield* HostKeys).problems
    if (problems.length > 0) return Health.misconfigured(url, { problems })
    const found = find(request.method, url.pathname)
    if (found !== undefined) noteRoute(request, found.path)
    const response = yield* (found?.answer ?? unrouted)(request, url)
    return request.method === "HEAD" ? yield* withoutBody(response) : response
  }, Effect.catchDefect(asInternalError))
