import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { CalledUrl, Query } from "../core/lexicon/calledUrl.ts"
import { Config } from "../services/host/Config.ts"
import { KnownLexicons } from "../services/host/KnownLexicons.ts"
import { SharedTurn } from "../services/host/SharedTurn.ts"
import * as Soon from "../services/host/Soon.ts"
import { Auth } from "../services/sessions/Auth.ts"
import type { Caller } from "../services/sessions/Authority.ts"
import { nsidOf } from "./CurrentRequest.ts"
import { asError, type Failure } from "./errors.ts"
import { checkBody, isInOnePiece, unreadable } from "./input.ts"
import { finishBody } from "./responses.ts"
import { credentialsOf, queryCredentials } from "./sessions/credentials.ts"
import {
  answerFor,
  type Call,
  invalid,
  jsonResponse,
  type MethodTable,
  permitCall
} from "./Xrpc.ts"

/** A called query. */
interface Called {
  readonly nsid: string
  readonly searchParams: Query
  /** More headers for its response. */
  readonly more?: Readonly<Record<string, string>>
  /** Whether its response is for one caller, even for an anonymous one. */
  readonly isPrivate?: boolean
}

/**
 * The response to a query that mostly needs no waiting, as `serve` would give it; undefined for any
 * other request. A failure becomes the response of `asError`.
 *
 * The result has to be used if it is known; see `Auth`.
 */
export const serveAtOnce = <R>(
  methods: MethodTable<R>,
  services: Context.Context<NoInfer<R> | Auth | Config>,
  request: Request,
  { nsid, searchParams, more = {}, isPrivate = false }: Called,
  authorization = request.headers.get("authorization")
): Soon.Soon<Response, Failure, R> | undefined => {
  const declared = methods.get(nsid)
  if (declared?.atOnce === undefined) return undefined
  if (request.method !== "GET" || request.body !== null) return undefined
  const { authority, atOnce } = declared
  const credentials = queryCredentials(request, nsid, authorization)
  const judged = Context.get(services, Auth).judge(credentials, authority, nsid)
  return Soon.flatMap(judged, (caller): Soon.Soon<Response, Failure, R> => {
    const parsed = Context.get(services, KnownLexicons).parseParams(nsid, searchParams)
    if (Result.isFailure(parsed)) return Result.fail(invalid(parsed.failure))
    const call: Call = { nsid, params: parsed.success, input: undefined, caller, request }
    const permitted = permitCall(authority, call, Context.get(services, Config))
    if (Result.isFailure(permitted)) return Result.fail(permitted.failure)
    const isForOne = isPrivate || caller.kind !== "anonymous"
    return Soon.map(atOnce(call, services), (answer) => answerFor(answer, isForOne, more))
  })
}

/** A response that is known, or the promise of one; failures become the protocol's errors. */
export const settled = <R>(
  answered: Soon.Soon<Response, Failure, R>,
  services: Context.Context<NoInfer<R>>
): Response | Promise<Response> =>
  Result.isResult(answered)
    ? Result.getOrElse(answered, asError)
    : Effect.runPromiseWith(services)(
        Effect.catch(answered, (failure) => Effect.succeed(asError(failure)))
      )

/**
 * Answers a procedure with a JSON body by a caller who is judged at once, as `serve` would;
 * undefined for any other request, which it leaves unread.
 */
export const serveSoon = <R>(
  methods: MethodTable<R>,
  services: Context.Context<NoInfer<R> | Auth | Config | SharedTurn>,
  request: Request,
  url: CalledUrl
): Promise<Response> | undefined => {
  const declared = methods.get(nsidOf(url) ?? "")
  if (declared?.soon === undefined || request.method !== "POST") return undefined
  const config = Context.get(services, Config)
  const { nsid, authority, soon, bodyLimit = config.jsonLimit, typedNames = [] } = declared
  if (url.search !== "" || !isInOnePiece(request, bodyLimit)) return undefined
  const auth = Context.get(services, Auth)
  const judged = auth.judge(credentialsOf(request), authority, nsid)
  if (!Result.isResult(judged)) return undefined
  if (Result.isFailure(judged)) {
    return Effect.runPromise(Effect.as(finishBody(request, config), asError(judged.failure)))
  }
  const lexicons = Context.get(services, KnownLexicons)
  const answer = (judged: Caller, body: Uint8Array): Soon.Soon<object, Failure> => {
    const input = checkBody(request, body, { nsid, typedNames }, lexicons)
    if (Result.isFailure(input)) return Result.fail(input.failure)
    return Soon.flatMap(auth.recheck(judged, authority), (caller): Soon.Soon<object, Failure> => {
      const call: Call = { nsid, params: {}, input: input.success, caller, request }
      return Soon.flatMap(permitCall(authority, call, config), () => soon(call, services))
    })
  }
  const turn = Context.get(services, SharedTurn)
  return turn.join(request.arrayBuffer()).then(
    (body) => {
      const answered = answer(judged.success, new Uint8Array(body))
      return settled(
        Soon.map(answered, (done) => jsonResponse(done, true)),
        services
      )
    },
    () => asError(unreadable())
  )
}
