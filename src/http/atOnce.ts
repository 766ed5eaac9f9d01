import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { CalledUrl, Query } from "../core/lexicon/calledUrl.ts"
import { KnownLexicons } from "../services/host/KnownLexicons.ts"
import { SharedTurn } from "../services/host/SharedTurn.ts"
import * as Soon from "../services/host/Soon.ts"
import { Auth } from "../services/sessions/Auth.ts"
import type { Authority, Caller } from "../services/sessions/Authority.ts"
import { nsidOf } from "./CurrentRequest.ts"
import { asError } from "./errors.ts"
import { checkBody, isInOnePiece, unreadable } from "./input.ts"
import { withHeaders } from "./responses.ts"
import {
  answerFor,
  type Call,
  credentialsOf,
  type Engine,
  invalid,
  jsonResponse,
  type MethodTable
} from "./Xrpc.ts"

/** A called method, and more headers for its response. */
interface Called {
  readonly nsid: string
  readonly searchParams: Query
  readonly more?: Readonly<Record<string, string>>
}

/**
 * Answers a query that needs no waiting, publicly or for the plain session of an active account, as
 * `serve` would; undefined for any other request.
 */
export const serveAtOnce = <R>(
  methods: MethodTable<R>,
  services: Context.Context<R | Auth>,
  request: Request,
  { nsid, searchParams, more = {} }: Called,
  authorization = request.headers.get("authorization")
): Response | undefined => {
  const declared = methods.get(nsid)
  if (declared?.atOnce === undefined) return undefined
  if (request.method !== "GET" || request.body !== null) return undefined
  const caller = callerNow(authorization, declared.authority, services)
  if (caller === undefined) return undefined
  const parsed = Context.get(services, KnownLexicons).parseParams(nsid, searchParams)
  if (Result.isFailure(parsed)) return withHeaders(asError(invalid(parsed.failure)), more)
  const call: Call = { nsid, params: parsed.success, input: undefined, caller, request }
  const answered = declared.atOnce(call, services)
  // Waiting is left to the usual way, from its beginning.
  if (!Result.isResult(answered)) return undefined
  return Result.isFailure(answered)
    ? withHeaders(asError(answered.failure), more)
    : answerFor(answered.success, caller.kind !== "anonymous", more)
}

/** The caller if it is known without waiting: nobody, or the plain session of an active account. */
const callerNow = (
  authorization: string | null,
  authority: Authority,
  services: Context.Context<Auth>
): Caller | undefined => {
  if (authority.kind === "none") return anonymous
  if (authorization !== null)
    return Context.get(services, Auth).sessionNow({ authorization }, authority)
  return authority.kind === "optional" ? anonymous : undefined
}

/**
 * Answers a procedure that the plain session of an active account calls with a JSON body, as
 * `serve` would; undefined for any other request, which it leaves unread.
 */
export const serveSoon = <R>(
  methods: MethodTable<R>,
  { jsonLimit }: Pick<Engine, "jsonLimit">,
  services: Context.Context<R | Auth | SharedTurn>,
  request: Request,
  url: CalledUrl
): Promise<Response> | undefined => {
  const declared = methods.get(nsidOf(url) ?? "")
  if (declared?.soon === undefined || request.method !== "POST") return undefined
  const { nsid, authority, soon, bodyLimit = jsonLimit, typedNames = [] } = declared
  if (url.search !== "" || !isInOnePiece(request, bodyLimit)) return undefined
  const auth = Context.get(services, Auth)
  const judged = auth.sessionNow(credentialsOf(request), authority)
  if (judged === undefined) return undefined
  const lexicons = Context.get(services, KnownLexicons)
  const answer = (body: Uint8Array) => {
    const input = checkBody(request, body, { nsid, typedNames }, lexicons)
    if (Result.isFailure(input)) return Result.fail(input.failure)
    const caller = auth.recheck(judged, authority)
    return Result.isFailure(caller)
      ? Result.fail(caller.failure)
      : soon({ nsid, params: {}, input: input.success, caller: caller.success, request }, services)
  }
  const turn = Context.get(services, SharedTurn)
  return turn.join(request.arrayBuffer()).then(
    (body) => {
      const answered = Soon.map(answer(new Uint8Array(body)), (done) => jsonResponse(done, true))
      return Result.isResult(answered)
        ? Result.getOrElse(answered, asError)
        : Effect.runPromiseWith(services)(
            Effect.catch(answered, (failure) => Effect.succeed(asError(failure)))
          )
    },
    () => asError(unreadable())
  )
}

const anonymous: Caller = { kind: "anonymous" }
