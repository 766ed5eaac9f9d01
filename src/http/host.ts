import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { Config } from "../services/host/Config.ts"
import { HostKeys } from "../services/host/HostKeys.ts"
import type { runJobs } from "../services/host/jobs.ts"
import { RequestId } from "../services/host/RequestId.ts"
import { RequestOrigin } from "../services/host/RequestOrigin.ts"
import { rules } from "../services/limits/rules.ts"
import { backupRoutes } from "./backups/routes.ts"
import { careRoutes } from "./accounts/careRoutes.ts"
import { createToken, listTokens, revokeToken } from "./sessions/ownTokens.ts"
import { rotateMaster, rotatePlc } from "./identity/adminKeys.ts"
import { adminCodes } from "./mail/adminCodes.ts"
import { adminTestMail } from "./mail/adminMail.ts"
import { adminRelays, askRelay, disconnectReader } from "./stream/adminRelays.ts"
import { answer, client, internalError, visit } from "./answers.ts"
import { errorResponse } from "./errors.ts"
import * as Health from "./host/health.ts"
import { home } from "./host/home.ts"
import { authorizationServer, clientMetadata, jwks, protectedResource } from "./oauth/metadata.ts"
import { par } from "./oauth/par.ts"
import { revoke } from "./oauth/revoke.ts"
import { token } from "./oauth/token.ts"
import { withoutBody } from "./responses.ts"
import { adminResetFactor } from "./factors/adminFactors.ts"
import { listCodes } from "./mail/ownCodes.ts"
import { listPasskeys, makePasskeyLink, removePasskey } from "./factors/ownPasskeys.ts"
import { CurrentRequest, currentRequest, originOf } from "./CurrentRequest.ts"
import { newRequestId, withRequestId } from "./requestId.ts"
import { listOperators, removeOperator, setOperator } from "./operators/adminOperators.ts"
import { metrics } from "./operators/metrics.ts"
import { acceptAlert, adminAlerts } from "./operators/adminAlerts.ts"
import { adminAudit } from "./operators/adminAudit.ts"
import { type Answer, finder, isPathOf, type Route, route } from "./routes.ts"
import { toMoveIn } from "./pages/account/moveIn/start.ts"
import { account } from "./pages/account/routes.ts"
import { wantsPage } from "./pages/browser.ts"
import { operatorsConsole } from "./pages/console/routes.ts"
import { showMissing } from "./pages/message.ts"
import { atprotoDid, changePassword, didDocument, robots, tlsCheck } from "./identity/wellKnown.ts"
import { authorize } from "./oauth/authorize.ts"
import { postAccept, postReactivate, postReject } from "./oauth/authorizeAnswer.ts"
import { postCode, postPasskey, postSignIn } from "./oauth/authorizeSignIn.ts"
import { postSignUp } from "./oauth/authorizeSignUp.ts"
import { paths } from "./oauth/authorizeVisit.ts"
import { linkPath, lookAtLink, openLink, useLink } from "./factors/linkPage.ts"
import { isNsid } from "../core/lexicon/syntax.ts"
import { traced, type TraceRoot } from "../services/operators/Traces.ts"
import { xrpc } from "./xrpcRoute.ts"

const ready = answer((_, url) => Health.ready(url))

/** Every path of the host. */
export const routes = [
  route("*", "/xrpc/_health", answer(Health.xrpcHealth)),
  route("*", "/xrpc/*", answer(xrpc)),
  route("GET", "/metrics", answer(metrics)),
  route("GET", "/health", ready),
  route("GET", "/ready", ready),
  route("GET", "/.well-known/did.json", answer(didDocument)),
  route("GET", "/.well-known/atproto-did", answer(atprotoDid)),
  route("GET", "/tls-check", answer(tlsCheck)),
  route("*", "/.well-known/oauth-authorization-server", client(authorizationServer)),
  route("*", "/.well-known/oauth-protected-resource", client(protectedResource)),
  route("*", "/oauth/jwks", client(jwks)),
  route("*", "/oauth/client-metadata", client(clientMetadata)),
  route("*", "/oauth/par", client(par), rules.oauthPar),
  route("*", "/oauth/token", client(token), rules.oauthToken),
  route("*", "/oauth/revoke", client(revoke), rules.oauthRevoke),
  route("GET", paths.page, visit(authorize), rules.newDevice),
  route("POST", paths.signIn, visit(postSignIn), rules.signIn, rules.signInCode),
  route("POST", paths.code, visit(postCode)),
  route("POST", paths.passkey, visit(postPasskey), rules.passkey),
  route("POST", paths.signUp, visit(postSignUp), rules.signUp, rules.lookAtInvite),
  route("POST", paths.accept, visit(postAccept)),
  route("POST", paths.reject, visit(postReject)),
  route("POST", paths.reactivate, visit(postReactivate)),
  route(
    "GET",
    "/.well-known/change-password",
    answer(() => Effect.sync(changePassword))
  ),
  route("GET", "/admin", visit(operatorsConsole), rules.newDevice),
  route("*", "/admin/console/*", visit(operatorsConsole), rules.newDevice),
  route("GET", "/admin/alerts", answer(adminAlerts), rules.administrator),
  route("POST", "/admin/alerts/accept", answer(acceptAlert), rules.administrator),
  route("GET", "/admin/audit", answer(adminAudit), rules.administrator),
  ...backupRoutes.map(([verb, path, make]) => route(verb, path, answer(make), rules.administrator)),
  ...careRoutes.map(({ verb, path, make }) => route(verb, path, answer(make), rules.administrator)),
  route("POST", "/admin/keys/master", answer(rotateMaster), rules.administrator),
  route("POST", "/admin/keys/plc", answer(rotatePlc), rules.administrator),
  route("GET", "/admin/operators", answer(listOperators), rules.administrator),
  route("POST", "/admin/operators", answer(setOperator), rules.administrator),
  route("POST", "/admin/operators/remove", answer(removeOperator), rules.administrator),
  route("POST", "/admin/factors/reset", answer(adminResetFactor), rules.administrator),
  route("POST", "/admin/mail/test", answer(adminTestMail), rules.administrator),
  route("GET", "/admin/codes", answer(adminCodes), rules.administrator),
  route("GET", "/admin/relays", answer(adminRelays), rules.administrator),
  route("POST", "/admin/relays/ask", answer(askRelay), rules.administrator),
  route("POST", "/admin/relays/disconnect", answer(disconnectReader), rules.administrator),
  route("GET", "/manage/codes", answer(listCodes)),
  route("GET", "/manage/passkeys", answer(listPasskeys)),
  route("POST", "/manage/passkeys/link", answer(makePasskeyLink), rules.makePasskeyLink),
  route("POST", "/manage/passkeys/remove", answer(removePasskey)),
  route("GET", "/manage/tokens", answer(listTokens)),
  route("POST", "/manage/tokens/create", answer(createToken)),
  route("POST", "/manage/tokens/revoke", answer(revokeToken)),
  route("GET", linkPath, visit(lookAtLink), rules.newDevice),
  route("POST", linkPath, visit(openLink), rules.openPasskeyLink),
  route("POST", `${linkPath}/add`, visit(useLink), rules.openPasskeyLink),
  route(
    "*",
    "/account/*",
    visit(account),
    rules.newDevice,
    rules.lookAtInvite,
    rules.signIn,
    rules.signInCode,
    rules.passkey,
    rules.signUp,
    rules.requestPasswordReset,
    rules.resetPassword,
    rules.mailedCode,
    rules.updateHandle,
    rules.updateEmail
  ),
  route("GET", "/move-in", visit(toMoveIn)),
  route(
    "GET",
    "/robots.txt",
    answer((request) => Effect.sync(() => robots(request)))
  ),
  route("GET", "/", answer(home))
]

type ServicesOf<One> = One extends Route<infer R> ? R : never

/** The services that the routes and the cron jobs require. */
export type HostServices =
  | Exclude<ServicesOf<(typeof routes)[number]>, CurrentRequest>
  | Effect.Services<typeof runJobs>
  | HostKeys

const find = finder<HostServices | CurrentRequest>(routes)

/**
 * Whether a path is the server's, for any HTTP method: a site must not answer another method of it.
 */
export const isServersPath: (path: string) => boolean = isPathOf(routes)

/** Answers unknown paths: a page for browsers, a line for other clients. */
const unrouted: Answer<HostServices | CurrentRequest> = answer(({ headers }) =>
  Effect.map(Config, (config) => {
    const missing = wantsPage(headers)
      ? showMissing(config)
      : new Response("Not Found\n", { status: 404 })
    missing.headers.set("vary", "accept")
    return missing
  })
)

/** Turns an uncaught defect into a response. */
const asInternalError = (defect: unknown) =>
  Effect.as(Effect.logError("answer failed", defect), errorResponse(internalError))

/** The span of a request: what the log says about it, without its account. */
const requestRoot =
  ({ request: { method }, nsid, route: path = "unknown" }: CurrentRequest["Service"]) =>
  (id: string | undefined): TraceRoot<Response> => {
    const route = isNsid(nsid) ? `/xrpc/${nsid}` : path
    return {
      name: `${method} ${route}`,
      attributes: ({ status }) => ({
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": status,
        ...(id === undefined ? {} : { "nacre.request.id": id })
      })
    }
  }

const answerOf = Effect.fnUntraced(function* (request: Request) {
  const url = new URL(request.url)
  const problems = yield* (yield* HostKeys).problems
  if (problems.length > 0) return Health.misconfigured(url, { problems })
  const found = find(request.method, url.pathname)
  const current = currentRequest(request, url, found?.path)
  const answered = Effect.updateContext(
    found?.answer ?? unrouted,
    (context: Context.Context<HostServices>) =>
      Context.add(Context.add(context, CurrentRequest, current), RequestOrigin, originOf(current))
  )
  return yield* traced(requestRoot(current), answered)
}, Effect.catchDefect(asInternalError))

/** The whole HTTP app of the host. */
export const serveHost: (request: Request) => Effect.Effect<Response, never, HostServices> =
  Effect.fnUntraced(function* (request) {
    const id = newRequestId(request)
    const answered = yield* Effect.provideService(answerOf(request), RequestId, id)
    const response = yield* withRequestId(answered, id)
    return request.method === "HEAD" ? yield* withoutBody(response) : response
  })
