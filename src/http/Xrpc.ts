import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { authenticate, type Denied, judgeAgain, permit } from "../services/sessions/Auth.ts"
import type { Permission } from "../core/oauth/types.ts"
import type { LimitRule } from "../services/limits/rules.ts"
import type { Authority, Caller, NeedsOf } from "../services/sessions/Authority.ts"
import { Config, type Settings } from "../services/host/Config.ts"
import { KnownLexicons } from "../services/host/KnownLexicons.ts"
import * as Soon from "../services/host/Soon.ts"
import type { Issue } from "../core/lexicon/issue.ts"
import { isNsid } from "../core/lexicon/syntax.ts"
import { asError, errorResponse, type Failure } from "./errors.ts"
import { InvalidRequest } from "../services/failures.ts"
import { readInput } from "./input.ts"
import type { WireError } from "./wire.ts"
import { nsidOf } from "./CurrentRequest.ts"
import { credentialsOf } from "./sessions/credentials.ts"
import { jsonType, privateHeaders, withHeaders, withoutBody } from "./responses.ts"

/** A call of a method, checked against its lexicon. */
export interface Call<Params = Record<string, unknown>, Input = unknown> {
  readonly nsid: string
  readonly params: Params
  /**
   * The JSON input in the data model; undefined for raw bodies, which the handler reads from
   * `request`.
   */
  readonly input: Input
  readonly caller: Caller
  readonly request: Request
}

/** JSON that is a text already. */
export class JsonText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** A handler's result: JSON, a ready response (streams, CARs), or nothing. */
export type Answer = Response | object | void

/** Where a method runs: in the Worker, or in its account's object. */
export type Place = "host" | "account"

/** A method as data: declared once, looked up in a table, and unknown if absent. */
export interface Method<R = never, At extends Place = Place> {
  readonly nsid: string
  readonly at: At
  readonly authority: Authority
  /** The method's own rate limits, in addition to the general ones. */
  readonly limits?: ReadonlyArray<LimitRule>
  /** The largest JSON body, if it differs from the server's usual limit. */
  readonly bodyLimit?: number
  /**
   * Input fields with names that people type, which are normalized before the lexicon checks them.
   */
  readonly typedNames?: ReadonlyArray<string>
  /** The handler reads the body itself (uploads). */
  readonly rawBody?: true
  readonly handler: (call: Call) => Effect.Effect<Answer, Failure, R>
  /** The same handler of a query, as a plain function that returns what has to wait. */
  readonly atOnce?: (call: Call, services: Context.Context<R>) => Soon.Soon<Answer, Failure, R>
  /** The same handler of a procedure, as a plain function that returns what has to wait. */
  readonly soon?: (call: Call, services: Context.Context<R>) => Soon.Soon<object, Failure>
}

/** Declares a method; the handler's parameter types come from the lexicon's published types. */
export const method = <const At extends Place, Params, Input, R>(
  nsid: string,
  declared: Omit<Method<R, At>, "nsid" | "handler">,
  handler: (call: Call<Params, Input>) => Effect.Effect<Answer, Failure, R>
): Method<R, At> => ({
  nsid,
  ...declared,
  // SAFETY: the handler only gets params and input that were checked against this NSID's lexicon.
  handler: handler as unknown as Method<R, At>["handler"]
})

/** Declares a query that mostly doesn't wait: then it is answered without a fiber. */
export const queryAtOnce = <const At extends Place, Params, R>(
  nsid: string,
  declared: { readonly at: At; readonly authority: AuthorityOf<"none" | "optional" | "session"> },
  answer: (
    call: Call<Params>,
    services: Context.Context<R>
  ) => Soon.Soon<Response | object, Failure, R>
): Method<R, At> => ({
  ...method(nsid, declared, (call: Call<Params>) =>
    Soon.within((services: Context.Context<R>) => answer(call, services))
  ),
  // SAFETY: the handler only gets params that were checked against this NSID's lexicon.
  atOnce: answer as unknown as NonNullable<Method<R, At>["atOnce"]>
})

/** Declares a procedure that mostly waits only for its body: then it is answered without a fiber. */
export const procedureSoon = <const At extends Place, Input, R>(
  nsid: string,
  declared: Omit<Method<R, At>, "nsid" | "handler" | "soon" | "atOnce">,
  answer: (call: Call<unknown, Input>, services: Context.Context<R>) => Soon.Soon<object, Failure>
): Method<R, At> => ({
  ...method(nsid, declared, (call: Call<unknown, Input>) =>
    Soon.within((services: Context.Context<R>) => answer(call, services))
  ),
  // SAFETY: the handler only gets an input that was checked against this NSID's lexicon.
  soon: answer as unknown as NonNullable<Method<R, At>["soon"]>
})

type AuthorityOf<K extends Authority["kind"]> = Extract<Authority, { readonly kind: K }>

/** The methods of one place by NSID. */
export type MethodTable<R> = ReadonlyMap<string, Method<R>>

/** Collects the methods of a place into a table; throws for a method that is declared twice. */
export const table = <const At extends Place, M extends Method<unknown>>(
  at: At,
  declared: ReadonlyArray<M>
): MethodTable<Needs<M, At>> => {
  const methods = new Map<string, Method<Needs<M, At>>>()
  for (const one of declared) {
    if (one.at !== at) continue
    if (methods.has(one.nsid)) throw new Error(`method declared twice: ${one.nsid}`)
    // SAFETY: each method's requirements are part of those of all methods.
    methods.set(one.nsid, one as Method<Needs<M, At>>)
  }
  return methods
}

/** The services that the methods of a place require. */
type Needs<M, At extends Place> = M extends Method<infer R, At> ? R : never

/** A place's settings for serving methods. */
export interface Engine<In = never> {
  /** Notes the caller after authorization. */
  readonly judged?: (caller: Caller) => Effect.Effect<void, never, In>
  readonly jsonLimit: number
  /**
   * Takes a point of a rate limit by the client's address; undefined if the address is unknown.
   */
  readonly take?: (request: Request, rule: LimitRule) => Effect.Effect<unknown, Failure, In>
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
    Effect.catch((failure) => Effect.succeed(asError(failure)))
  )
})

/** The error for an unknown method. */
const unknownMethod = (nsid: string): WireError =>
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
  // A subscription answers these itself: 405 and 426 are part of its protocol.
  if (
    kind !== "subscription" &&
    request.method !== expected &&
    !(expected === "GET" && request.method === "HEAD")
  ) {
    return yield* new InvalidRequest({
      message: `Incorrect HTTP method (${request.method}) expected ${expected}`
    })
  }
  const { authority } = declared
  const judged = yield* authenticate(credentialsOf(request), authority, nsid)
  if (engine.judged !== undefined) yield* engine.judged(judged)
  const parsed = lexicons.parseParams(nsid, url.searchParams)
  if (Result.isFailure(parsed)) return yield* invalid(parsed.failure)
  const input =
    declared.rawBody || request.method !== "POST"
      ? undefined
      : yield* readInput(request, {
          nsid,
          limit: declared.bodyLimit ?? engine.jsonLimit,
          typedNames: declared.typedNames ?? []
        })
  const caller =
    request.method === "POST"
      ? yield* judgeAgain(judged, credentialsOf(request), authority, nsid)
      : judged
  const call: Call = { nsid, params: parsed.success, input, caller, request }
  yield* Effect.fromResult(permitCall(authority, call, yield* Config))
  if (engine.take !== undefined) {
    for (const rule of declared.limits ?? []) {
      if (rule.per === "address") yield* engine.take(request, rule)
    }
  }
  const answer = yield* declared.handler(call)
  const isPrivate = caller.kind !== "anonymous"
  if (!(answer instanceof Response)) {
    return jsonResponse(answer, isPrivate || isJudgedElsewhere(declared, request))
  }
  const response = answerFor(answer, isPrivate)
  return request.method === "HEAD" ? yield* withoutBody(response) : response
})

/** A handler's result as a response; `isPrivate` if it is for one caller. */
export const answerFor = (
  answer: Answer,
  isPrivate: boolean,
  more: Readonly<Record<string, string>> = {}
): Response => {
  if (!(answer instanceof Response)) return jsonResponse(answer, isPrivate, more)
  if (isPrivate) {
    for (const [name, value] of Object.entries(privateHeaders)) answer.headers.set(name, value)
  }
  return withHeaders(answer, more)
}

/** Rejects an app that lacks a permission for a call; other callers pass. */
export const permitCall = (
  authority: Authority,
  { caller, params, input }: Call,
  { appView }: Pick<Settings, "appView">
): Result.Result<void, Denied> => {
  if (caller.kind !== "oauth") return Result.succeed(undefined)
  const named = appView === undefined ? undefined : `${appView.did}#${appView.service}`
  return permit(caller, needsOf(authority, { params, input, appView: named }))
}

/** The permissions that an app needs for this call; empty if every app may call. */
const needsOf = (authority: Authority, call: Parameters<NeedsOf>[0]): ReadonlyArray<Permission> =>
  authority.kind === "session" && typeof authority.oauth === "function" ? authority.oauth(call) : []

/**
 * Whether the account's object checks the credentials, which makes its answer private to the caller.
 */
const isJudgedElsewhere = ({ authority }: Pick<Method, "authority">, request: Request): boolean =>
  authority.kind === "object" && request.headers.has("authorization")

/** The failure for a query or body that its lexicon rejects. */
export const invalid = (issue: Issue) => new InvalidRequest({ message: issueText(issue) })

/** An issue as one sentence: the path, then the reason. */
const issueText = (issue: Issue): string =>
  issue.path === "" ? issue.message : `${issue.path}: ${issue.message}`

/** A response with JSON, or with nothing; `isPrivate` if it is for one caller. */
export const jsonResponse = (
  answer: object | void,
  isPrivate: boolean,
  more: Readonly<Record<string, string>> = {}
): Response => {
  const headers = isPrivate ? { ...more, ...privateHeaders, ...varying(more) } : more
  // An empty body isn't JSON and must not claim to be.
  return answer === undefined
    ? new Response(null, { status: 200, headers: { ...headers, "content-length": "0" } })
    : new Response(answer instanceof JsonText ? answer.text : JSON.stringify(answer), {
        headers: { ...headers, "content-type": jsonType }
      })
}

/** What a private response varies by if others vary, too. */
const varying = ({ vary }: Readonly<Record<string, string>>): { readonly vary?: string } =>
  vary === undefined ? {} : { vary: `${privateHeaders.vary}, ${vary}` }
