import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type {
  CallFailure,
  CallInput,
  CallName,
  CallOutput
} from "../../services/accounts/AccountCalls.ts"
import { rayHeader, rayOf, requestIdHeader, RequestId } from "../../services/host/RequestId.ts"
import { type Origin, RequestOrigin } from "../../services/host/RequestOrigin.ts"
import { Accounts, AccountUnavailable, unavailable } from "../../services/accounts/Accounts.ts"
import { type TraceParent, traceText } from "../../core/operators/otlp.ts"
import { traceParent, traceParentIn } from "../../services/operators/Traces.ts"
import type { FailureCodec } from "./AccountApp.ts"

/** The context of a call, passed after its input. */
export interface CallContext {
  /** The id of the request that the call belongs to; undefined for background work. */
  readonly requestId: string | undefined
  readonly origin?: Origin
  /** The span of the call, if its trace is recorded. */
  readonly trace?: TraceParent
}

const nowhere: Origin = { from: {} }

/** A call's input and its context. */
type Separated = { readonly input: ReadonlyArray<unknown> } & CallContext &
  Required<Pick<CallContext, "origin">>

/** Separates a call's input from its context; a Worker of another version sends no context. */
export const inputOf = (given: ReadonlyArray<unknown>): Separated => {
  const last = given.at(-1)
  if (typeof last !== "object" || last === null || !("requestId" in last)) {
    return { input: given, requestId: undefined, origin: nowhere }
  }
  // SAFETY: only `call` below sends an object with this property.
  return { origin: nowhere, ...(last as CallContext), input: given.slice(0, -1) }
}

/** The header with the span of a forwarded request, if its trace is recorded. */
export const traceHeader = "x-nacre-trace"

/** The forwarded request, with the Worker's id and trace instead of the client's. */
const named = (
  request: Request,
  id: string | undefined,
  trace: TraceParent | undefined
): Request => {
  const isTraced = trace !== undefined || request.headers.has(traceHeader)
  if (!isTraced) {
    if (id === undefined && !request.headers.has(requestIdHeader)) return request
    // The object reads the id itself, so on Cloudflare nothing is copied.
    const { headers } = request
    if (id !== undefined && (rayOf(headers) ?? headers.get(requestIdHeader)) === id) return request
  }
  const sent = new Request(request)
  const { headers } = sent
  headers.delete(rayHeader)
  headers.delete(traceHeader)
  if (id === undefined) headers.delete(requestIdHeader)
  else headers.set(requestIdHeader, id)
  if (trace !== undefined) headers.set(traceHeader, traceText(trace))
  return sent
}

/** The methods of an account's object that the Worker calls. */
export interface AccountStub {
  fetch(
    request: Request | string,
    init?: { readonly headers: Readonly<Record<string, string>> }
  ): Promise<Response>
  call(method: CallName, ...input: ReadonlyArray<unknown>): Promise<CallAnswer>
}

/**
 * The result of an internal call; failures are encoded values, because errors lose their fields on
 * the way back.
 */
export type CallAnswer = { readonly output: unknown } | { readonly failure: unknown }

/** Accounts in their Durable Objects, called through stubs. */
export const layer = (
  stubOf: (did: string) => AccountStub,
  failures: FailureCodec
): Layer.Layer<Accounts> => {
  const reach = <A>(operation: string, did: string, use: (stub: AccountStub) => Promise<A>) =>
    Effect.catch(
      Effect.tryPromise(() => use(stubOf(did))),
      // Not retried: a write may have happened before the object failed.
      (failure) => unavailable(operation, did, failure)
    )

  const call = Effect.fnUntraced(function* <K extends CallName>(
    did: string,
    method: K,
    ...input: CallInput<K>
  ): Effect.fn.Return<CallOutput<K>, CallFailure<K> | AccountUnavailable> {
    const { from, operator } = yield* RequestOrigin
    const trace = yield* traceParent
    const context: CallContext = {
      requestId: yield* RequestId,
      origin: { from, operator },
      ...(trace === undefined ? {} : { trace })
    }
    const answer = yield* reach(method, did, (stub) => stub.call(method, ...input, context))
    // SAFETY: the object ran this very method.
    if ("output" in answer) return answer.output as CallOutput<K>
    const failure = failures.decode(answer.failure)
    if (Option.isNone(failure)) return yield* new AccountUnavailable({ operation: method, did })
    // SAFETY: the object ran this very method.
    return yield* Effect.fail(failure.value as CallFailure<K>)
  })

  return Layer.succeed(
    Accounts,
    Accounts.of({
      forward: (did, request) =>
        Effect.contextWith((context: Context.Context<never>) => {
          const sent = named(request, Context.get(context, RequestId), traceParentIn(context))
          return reach("forward", did, (stub) => stub.fetch(sent))
        }),
      askNow: (did, url, headers) =>
        headers === undefined ? stubOf(did).fetch(url) : stubOf(did).fetch(url, { headers }),
      forwardNow: (did, request, id) => stubOf(did).fetch(named(request, id, undefined)),
      call
    })
  )
}
