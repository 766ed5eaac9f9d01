import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Issue } from "../../core/lexicon/issue.ts"
import { isPlainObject } from "../../core/lexicon/objects.ts"
import { fromJson, toJson } from "../../core/repo/json.ts"
import type { Data } from "../../core/repo/cbor.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import type { Authority, Caller } from "../../services/sessions/Authority.ts"
import { Config } from "../../services/host/Config.ts"
import { KnownLexicons } from "../../services/host/KnownLexicons.ts"
import { accountMethods, hostMethods } from "../methods.ts"
import { subjectOf } from "../accounts/accountOf.ts"
import { errorResponse } from "../errors.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { mediaTypeOf, readBody } from "../input.ts"
import { noteModerator } from "../operators/recordAct.ts"
import { takePoint } from "../limits/clientLimits.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { credentialsOf } from "../sessions/credentials.ts"
import { type Call, type Method, serve } from "../Xrpc.ts"
import { type MethodCaller, type XrpcMethod, XrpcError } from "./ownMethod.ts"

/** The methods that a Worker adds to the server's own, by NSID, and its environment. */
export interface OwnMethodTable {
  readonly methods: ReadonlyMap<string, XrpcMethod>
  readonly env: unknown
}

/** The methods that this Worker adds; empty by default. */
export const OwnMethods = Context.Reference<OwnMethodTable>("nacre/http/OwnMethods", {
  defaultValue: () => ({ methods: new Map(), env: {} })
})

type AccountAccess = Extract<XrpcMethod["access"], object>

const internalError = {
  status: 500,
  error: "InternalServerError",
  message: "Internal Server Error"
}

const levels = ["full", "privileged", "standard"]
const needs = ["permission", "any", "none"]

/** Whether a method's access is valid. */
const isAccess = (access: unknown): boolean =>
  isPlainObject(access)
    ? levels.includes(String(access["account"])) && needs.includes(String(access["apps"] ?? "any"))
    : ["public", "admin", "service"].includes(String(access))

/** What is wrong with an added method, in one sentence; undefined if nothing is. */
export const problemOf = ({ lexicon: { id, defs }, access }: XrpcMethod): string | undefined => {
  const main = defs["main"]
  const kind = main !== undefined && "type" in main ? main.type : undefined
  if (kind !== "query" && kind !== "procedure") {
    return `The method ${id} needs a lexicon whose main definition is a query or a procedure`
  }
  if (hostMethods.has(id) || accountMethods.has(id)) {
    return `The method ${id} is the server's own and cannot be replaced`
  }
  return isAccess(access)
    ? undefined
    : `The method ${id} does not say who may call it: give it access "public", "admin", "service" or { account: … }`
}

/** A method's authority, in the form of the server's own methods. */
const authorityOf = (access: XrpcMethod["access"]): Authority => {
  if (access === "public") return { kind: "none" }
  if (access === "admin" || access === "service") return { kind: access }
  const demands = { kind: "session", level: access.account, oauth: "any", active: true } as const
  return { kind: "object", call: "authorizeMethod", demands }
}

/** The account's object authenticates sessions and apps before the body is read. */
const judge = Effect.fnUntraced(function* (nsid: string, access: AccountAccess, request: Request) {
  const did = yield* subjectOf(request)
  yield* noteAccount(did)
  const { apps = "permission" } = access
  const { caller } = yield* (yield* Accounts).call(did, "authorizeMethod", {
    ...credentialsOf(request),
    nsid,
    level: access.account,
    oauth: apps === "none" ? "no" : apps
  })
  return caller
})

/** The object checks the caller again once the body has come. */
const judgeAgain = Effect.fnUntraced(function* (caller: Caller) {
  if (!("did" in caller)) return
  yield* (yield* Accounts).call(caller.did, "recheckMethod", { caller })
})

const shown = (caller: Caller): MethodCaller => {
  switch (caller.kind) {
    case "admin":
      return { kind: "admin" }
    case "service":
      return { kind: "service", did: caller.did }
    case "oauth":
      return {
        kind: "account",
        did: caller.did,
        ...(caller.clientId === undefined ? {} : { clientId: caller.clientId })
      }
    case "session":
      return { kind: "account", did: caller.did }
    default:
      return { kind: "anyone" }
  }
}

const covers = (encoding: string, type: string | undefined): boolean =>
  encoding === "*/*" ||
  encoding === type ||
  (encoding.endsWith("/*") && type?.startsWith(encoding.slice(0, -1)) === true)

/** The bytes of a body that is not JSON. */
const readBytes = Effect.fnUntraced(function* (request: Request, encoding: string, limit: number) {
  const type = mediaTypeOf(request.headers)
  if (!covers(encoding, type)) {
    return yield* new InvalidRequest({
      message: `Wrong request encoding (Content-Type): ${type ?? "none"}, expected ${encoding}`
    })
  }
  return yield* readBody(request, limit)
})

/** An error that the handler threw on purpose, even from another copy of this package. */
const isXrpcError = (cause: unknown): cause is XrpcError =>
  cause instanceof XrpcError ||
  (cause instanceof Error &&
    cause.name === "XrpcError" &&
    "status" in cause &&
    Number.isInteger(cause.status) &&
    "error" in cause)

const failed = (nsid: string, cause: unknown): Effect.Effect<Response> => {
  if (isXrpcError(cause) && cause.status >= 400 && cause.status <= 599) {
    const { status, error, message } = cause
    return Effect.succeed(errorResponse({ status, error, message }))
  }
  return Effect.as(
    Effect.logError("a method of this Worker failed", { method: nsid }, cause),
    errorResponse(internalError)
  )
}

/** A handler's result after its lexicon has validated it. */
const checked = Effect.fnUntraced(function* (nsid: string, answer: object) {
  const lexicons = yield* KnownLexicons
  const output = yield* Effect.try({
    try: () => lexicons.checkOutput(nsid, fromJson(answer, 1)),
    catch: (cause): Issue => ({ path: "", message: String(cause) })
  }).pipe(Effect.flatMap(Effect.fromResult), Effect.result)
  if (Result.isSuccess(output)) return answer
  yield* Effect.logError("a method of this Worker answered what its lexicon does not allow", {
    method: nsid,
    ...output.failure
  })
  return errorResponse(internalError)
})

/** A method's declaration for one request, whose caller may be authenticated already. */
const declared = (
  own: XrpcMethod,
  env: unknown,
  encoding: string | undefined,
  judged: Caller | undefined
) => {
  const nsid = own.lexicon.id
  const bytes = encoding === undefined || encoding === "application/json" ? undefined : encoding
  const handler = Effect.fnUntraced(function* ({ params, input, caller, request }: Call) {
    const { limits } = own
    if (limits !== undefined) {
      yield* takePoint(request, { per: "address", key: nsid, windows: limits })
    }
    const { jsonLimit } = yield* Config
    const call = {
      nsid,
      params,
      // SAFETY: the lexicon has checked that it is a value of the data model.
      input:
        bytes === undefined
          ? toJson(input as Data)
          : yield* readBytes(request, bytes, own.bodyLimit ?? jsonLimit),
      caller: shown(judged ?? caller),
      env,
      request
    }
    if (judged !== undefined && request.method === "POST") yield* judgeAgain(judged)
    const answer = yield* Effect.tryPromise({
      try: () => Promise.resolve(own.handler(call)),
      catch: (cause) => ({ cause })
    }).pipe(Effect.catch(({ cause }) => failed(nsid, cause)))
    if (answer === undefined || answer instanceof Response) return answer
    return yield* checked(nsid, answer)
  })
  const authority = authorityOf(own.access)
  const { bodyLimit } = own
  const method: Method<Effect.Services<ReturnType<typeof handler>>> = {
    nsid,
    at: "host",
    authority,
    handler,
    ...(bytes === undefined ? {} : { rawBody: true }),
    ...(bodyLimit === undefined ? {} : { bodyLimit })
  }
  return method
}

/** Handles a call of an added method. */
export const serveOwn = Effect.fnUntraced(function* (
  { env }: OwnMethodTable,
  own: XrpcMethod,
  request: Request,
  url: URL
) {
  const { access, lexicon } = own
  const judged = typeof access === "object" ? yield* judge(lexicon.id, access, request) : undefined
  const encoding = (yield* KnownLexicons).method(lexicon.id)?.input?.encoding
  const methods = new Map([[lexicon.id, declared(own, env, encoding, judged)]])
  const engine = { jsonLimit: (yield* Config).jsonLimit, judged: noteModerator }
  return yield* serve(methods, engine, request, url)
})
