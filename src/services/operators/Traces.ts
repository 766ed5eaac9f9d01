import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import type { AttributeValue, EndedSpan, TraceParent } from "../../core/operators/otlp.ts"
import { RequestId } from "../host/RequestId.ts"
import { Background } from "../host/Background.ts"

/** Where traces go. */
export interface TracesShape {
  /** Whether to record the trace that begins now. */
  isSampled(): boolean
  /** Sends a trace's spans; never fails. */
  send(spans: ReadonlyArray<EndedSpan>): Effect.Effect<void>
}

/** Where traces go; undefined to record none. */
export const Traces = Context.Reference<TracesShape | undefined>("nacre/services/Traces", {
  defaultValue: () => undefined
})

/** What this fiber's spans are recorded by; undefined outside of a sampled trace. */
const Recorder = Context.Reference<Tracer.Tracer | undefined>("nacre/services/TraceRecorder", {
  defaultValue: () => undefined
})

/** The most spans of a trace; later ones are left out. */
const mostSpans = 256

const nameOf = (value: unknown): string => {
  const name =
    typeof value !== "object" || value === null
      ? undefined
      : "_tag" in value
        ? value._tag
        : value instanceof Error
          ? value.name
          : undefined
  return typeof name === "string" && /^\w{1,64}$/.test(name) ? name : "unknown"
}

/** A failure by its name: its message may quote what somebody sent. */
const failureOf = (reasons: ReadonlyArray<Cause.Reason<unknown>>): string => {
  const [first] = reasons
  if (first === undefined) return "unknown"
  if (first._tag === "Interrupt") return "Interrupt"
  return nameOf(first._tag === "Fail" ? first.error : first.defect)
}

/** A span that is kept when it ends, with the attributes that its creator chose. */
class RecordedSpan extends Tracer.NativeSpan {
  readonly #ended: Array<EndedSpan>

  constructor(
    options: ConstructorParameters<typeof Tracer.NativeSpan>[0],
    ended: Array<EndedSpan>
  ) {
    super(options)
    this.#ended = ended
  }

  override end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    if (this.status._tag === "Ended") return
    super.end(endTime, exit)
    if (this.#ended.length >= mostSpans) return
    const chosen = this.attributes.get(rootAttributes)
    this.#ended.push({
      traceId: this.traceId,
      spanId: this.spanId,
      parentId: Option.getOrUndefined(this.parent)?.spanId,
      name: this.name,
      kind: this.kind === "server" ? "server" : "internal",
      startedAt: this.startTime,
      endedAt: endTime,
      failure: exit._tag === "Success" ? undefined : failureOf(exit.cause.reasons),
      // SAFETY: only `traced` sets this attribute. No other attribute leaves the server.
      attributes: (chosen as EndedSpan["attributes"] | undefined) ?? {}
    })
  }
}

const rootAttributes = "nacre.root"

/** The span at the top of a trace, or of an object's part of it. */
export interface TraceRoot<A> {
  readonly name: string
  /** Its attributes by its result: without secrets and personal data. */
  readonly attributes?: (result: A) => Readonly<Record<string, AttributeValue>>
}

/**
 * Runs an effect; if its trace is sampled, records its spans and sends them in the background.
 *
 * `rootOf` is called with the request's id, and only for a sampled trace.
 */
export const traced = <A, E, R>(
  rootOf: (requestId: string | undefined) => TraceRoot<A>,
  effect: Effect.Effect<A, E, R>,
  parent?: TraceParent
): Effect.Effect<A, E, R | Background> =>
  Effect.flatMap(Traces, (traces): Effect.Effect<A, E, R | Background> => {
    if (traces === undefined || (parent === undefined && !traces.isSampled())) return effect
    return Effect.flatMap(RequestId, (id) => record(traces, rootOf(id), parent, effect))
  })

const record = <A, E, R>(
  traces: TracesShape,
  { name, attributes }: TraceRoot<A>,
  parent: TraceParent | undefined,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Background> => {
  const ended: Array<EndedSpan> = []
  const tracer = Tracer.make({ span: (options) => new RecordedSpan(options, ended) })
  const above =
    parent === undefined ? { root: true } : { parent: Tracer.externalSpan({ ...parent }) }
  const recorded = Effect.useSpan(name, { ...above, kind: "server" }, (span) =>
    Effect.withParentSpan(effect, span).pipe(
      Effect.tap((result) =>
        Effect.sync(() => span.attribute(rootAttributes, attributes?.(result)))
      )
    )
  ).pipe(
    Effect.provideService(Recorder, tracer),
    Effect.provideService(Tracer.Tracer, tracer),
    Effect.provideService(References.TracerEnabled, true)
  )
  const sent = Effect.suspend(() => traces.send(ended.splice(0)))
  return Effect.ensuring(
    recorded,
    Effect.flatMap(Background, (background) => background.run(sent))
  )
}

/** Records an effect's spans in this fiber's trace, although its services begin none. */
export const inTrace = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Recorder, (tracer) =>
    tracer === undefined
      ? effect
      : effect.pipe(
          Effect.provideService(Tracer.Tracer, tracer),
          Effect.provideService(References.TracerEnabled, true)
        )
  )

/** The place of this fiber's span, for another object; undefined if its trace isn't recorded. */
export const traceParent: Effect.Effect<TraceParent | undefined> = Effect.contextWith((context) =>
  Effect.succeed(traceParentIn(context))
)

/** The same in a context. */
export const traceParentIn = (context: Context.Context<never>): TraceParent | undefined => {
  if (Context.get(context, Recorder) === undefined) return undefined
  const span = Context.getOption(context, Tracer.ParentSpan)
  return Option.getOrUndefined(Option.map(span, ({ traceId, spanId }) => ({ traceId, spanId })))
}
