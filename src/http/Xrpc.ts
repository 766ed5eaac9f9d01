import * as Effect from "effect/Effect"
import { Auth, type Credentials } from "../services/sessions/Auth.ts"
import type { Permission } from "../core/oauth/types.ts"
import type { LimitRule } from "../services/limits/rules.ts"
import type { Authority, Caller, NeedsOf } from "../services/sessions/Authority.ts"
import { Config } from "../services/host/Config.ts"
import { KnownLexicons } from "../services/host/KnownLexicons.ts"
import type { Issue } from "../core/lexicon/issue.ts"
import { isNsid } from "../core/lexicon/syntax.ts"
import { errorResponse, type Failure, wireError } from "./errors.ts"
import { InvalidRequest } from "../services/failures.ts"
import { readInput } from "./input.ts"
import type { WireError } from "./wire.ts"
import { jsonType, privateHeaders, withoutBody } from "./responses.ts"

/** One call of a method, checked against its lexicon. */
export interface Call<Params = Record<string, unknown>, Input = unknown> {
  readonly nsid: string
  readonly params: Params
  /** The JSON input in the data model; absent for raw bodies, which the handler reads from `request`. */
  readonly input: Input
  readonly caller: Caller
  readonly request: Request
}

/** What a handler answers: JSON, a ready response (streams, CARs), or nothing. */
export type Answer = Response | object | void

/** Where a method runs: in the Worker, or in the object of its account. */
export type Place = "host" | "account"

/** A method is data: declared once, found in a table, denied when it is not there. */
export interface Method<R = never, At extends Place = Place> {
  readonly nsid: string
  readonly at: At
  readonly authority: Authority
  /** The rate limits that a call counts towards, besides those that every request does. */
  readonly limits?: ReadonlyArray<LimitRule>
  /** The largest JSON body, when not the server's usual limit. */
  readonly bodyLimit?: number
  /** Input fields in which people type a name; it is read as one before the lexicon judges it. */
  readonly typedNames?: ReadonlyArray<string>
  /** The handler reads the body itself (uploads). */
  readonly rawBody?: true
  readonly handler: (call: Call) => Effect.Effect<Answer, Failure, R>
}

/** Declares a method; the handler's parameter types come from the lexicon's published types. */
export const method = <const At extends Place, Params, Input, R>(
  nsid: string,
  declared: Omit<Method<R, At>, "nsid" | "handler">,
  handler: (call: Call<Params, Input>) => Effect.Effect<Answer, Failure, R>
): Method<R, At> => ({
  nsid,
  ...declared,
  // SAFETY: params and input have passed the lexicon of this very nsid when the handler is called.
  handler: handler as unknown as Method<R, At>["handler"]
})

/** The methods of one place by their NSID. */
export type MethodTable<R> = ReadonlyMap<string, Method<R>>

/** Collects the methods of a place into a table; a method declared twice is a mistake found at start. */
export const table = <const At extends Place, M extends Method<unknown>>(
  at: At,
  declared: ReadonlyArray<M>
): MethodTable<Needs<M, At>> => {
  const methods = new Map<string, Method<Needs<M, At>>>()
  for (const one of declared) {
    if (one.at !== at) continue
    if (methods.has(one.nsid)) throw new Error(`method declared twice: ${one.nsid}`)
    // SAFETY: what one method needs is among what all of them need.
    methods.set(one.nsid, one as Method<Needs<M, At>>)
  }
  return methods
}

/** The services that any of the methods of a place asks for. */
type Needs<M, At extends Place> = M extends Method<infer R, At> ? R : never

/** What a place brings to the engine. */
export interface Engine<In = never> {
  readonly jsonLimit: number
  /** Takes a point of a rate limit that counts a client's address; absent where no address is known. */
  readonly take?: (request: Request, rule: LimitRule) => Effect.Effect<unknown, Failure, In>
}

/** The NSID in a request's path, if it is one of XRPC. */
export const nsidOf = (url: URL): string | undefined =>
  url.pathname.startsWith("/xrpc/") ? url.pathname.slice(6) : undefined

/** The headers by which a caller shows who it is. */
export const credentialsOf = (request: Request): Credentials => {
  const authorization = request.headers.get("authorization")
  const dpop = request.headers.get("dpop")
  return {
    method: request.method,
    url: request.url,
    ...(authorization === null ? {} : { authorization }),
    ...(dpop === null ? {} : { dpop })
  }
}

/** Answers an XRPC request from a table of methods; every failure becomes the protocol's error. */
export const serve = Effect.fnUntraced(function* <R, In = never>(
  methods: MethodTable<R>,
  engine: Engine<In>,
  request: Request,
  url: URL
) {
  const nsid = nsidOf(url) ?? ""
  const declared = methods.get(nsid)
  if (declared === undefined) return errorResponse(unknownMethod(nsid))
  return yield* run(declared, engine, request, url).pipe(
    Effect.catch((failure) => Effect.succeed(errorResponse(wireError(failure))))
  )
})

/** The answer for a method that this server does not have. */
export const unknownMethod = (nsid: string): WireError =>
  isNsid(nsid)
    ? { status: 501, error: "MethodNotImplemented", message: "Method Not Implemented" }
    : { status: 400, error: "InvalidRequest", message: "The path must be /xrpc/ and an NSID" }

const run = Effect.fnUntraced(function* <R, In>(
  declared: Method<R>,
  engine: Engine<In>,
  request: Request,
  url: URL
) {
  const { nsid } = declared
  const lexicons = yield* KnownLexicons
  const kind = lexicons.kindOf(nsid)
  const expected = kind === "procedure" ? "POST" : "GET"
  // A subscription answers for itself: 405 and 426 are part of its protocol.
  if (
    kind !== "subscription" &&
    request.method !== expected &&
    !(expected === "GET" && request.method === "HEAD")
  ) {
    return yield* new InvalidRequest({
      message: `Incorrect HTTP method (${request.method}) expected ${expected}`
    })
  }
  const auth = yield* Auth
  const caller = yield* auth.authenticate(credentialsOf(request), declared.authority, nsid)
  const parsed = lexicons.parseParams(nsid, url.searchParams)
  if (!parsed.ok) return yield* invalid(parsed.issue)
  const input = declared.rawBody
    ? undefined
    : yield* readInput(request, {
        nsid,
        limit: declared.bodyLimit ?? engine.jsonLimit,
        typedNames: declared.typedNames ?? []
      })
  const { value: params } = parsed
  if (caller.kind === "oauth") {
    const { appView } = yield* Config
    const named = appView === undefined ? undefined : `${appView.did}#${appView.service}`
    const needs = needsOf(declared.authority, { params, input, appView: named })
    yield* auth.permit(caller, needs)
  }
  if (engine.take !== undefined) {
    for (const rule of declared.limits ?? []) {
      if (rule.per === "address") yield* engine.take(request, rule)
    }
  }
  const answer = yield* declared.handler({ nsid, params, input, caller, request })
  const isPrivate = caller.kind !== "anonymous"
  if (!(answer instanceof Response)) {
    return jsonResponse(answer, isPrivate || isJudgedElsewhere(declared, request))
  }
  if (isPrivate) {
    for (const [name, value] of Object.entries(privateHeaders)) answer.headers.set(name, value)
  }
  return request.method === "HEAD" ? yield* withoutBody(answer) : answer
})

/** The permissions that an app needs for this call; none where any app may call. */
const needsOf = (authority: Authority, call: Parameters<NeedsOf>[0]): ReadonlyArray<Permission> =>
  authority.kind === "session" && typeof authority.oauth === "function" ? authority.oauth(call) : []

/** Credentials that the account's object judges: what it answers is for whoever showed them. */
const isJudgedElsewhere = ({ authority }: Pick<Method, "authority">, request: Request): boolean =>
  authority.kind === "object" && request.headers.has("authorization")

/** A query or body that a lexicon does not allow. */
export const invalid = (issue: Issue) => new InvalidRequest({ message: issueText(issue) })

/** An issue as one sentence: the place, then what is wrong there. */
const issueText = (issue: Issue): string =>
  issue.path === "" ? issue.message : `${issue.path}: ${issue.message}`

const jsonResponse = (answer: object | void, isPrivate: boolean): Response => {
  const headers = isPrivate ? privateHeaders : {}
  // An empty body is no JSON, and must not say that it is.
  return answer === undefined
    ? new Response(null, { status: 200, headers: { ...headers, "content-length": "0" } })
    : new Response(JSON.stringify(answer), {
        headers: { ...headers, "content-type": jsonType }
      })
}
