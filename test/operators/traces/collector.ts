import type { otlpBody } from "../../../src/core/operators/otlp.ts"

/** A span as a collector gets it. */
export interface SentSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: ReadonlyArray<{
    readonly key: string
    readonly value: { readonly stringValue?: string; readonly intValue?: string }
  }>
  readonly status: { readonly code?: number }
}

/** A request to a collector. */
export interface Sent {
  readonly headers: Headers
  /** The body as `otlpBody` makes it. */
  readonly text: ReturnType<typeof otlpBody>
  readonly spans: ReadonlyArray<SentSpan>
}

/** The attributes of a span, as texts. */
export const attributesOf = ({ attributes }: SentSpan): Readonly<Record<string, string>> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? ""])
  )

/** A collector in memory, which replaces the process's `fetch`. */
export const startCollector = (origin: string) => {
  const before = globalThis.fetch
  const sent: Array<Sent> = []
  const waiting: Array<{ readonly condition: () => boolean; readonly done: () => void }> = []
  let answer = (): Response => new Response("{}")
  const tell = () => {
    for (const { condition, done } of waiting) if (condition()) done()
  }
  const until = (condition: (sent: ReadonlyArray<Sent>) => boolean): Promise<void> =>
    new Promise((done) => {
      waiting.push({ condition: () => condition(sent), done })
      tell()
    })
  const stand: typeof fetch = async (input, init) => {
    const request = input instanceof Request ? input : new Request(String(input), init)
    if (request.url !== `${origin}/v1/traces`) return before(input, init)
    const text = await request.text()
    // SAFETY: `otlpBody` made it.
    const body = JSON.parse(text) as {
      readonly resourceSpans: ReadonlyArray<{
        readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<SentSpan> }>
      }>
    }
    const spans = body.resourceSpans.flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap((scope) => scope.spans)
    )
    sent.push({ headers: request.headers, text, spans })
    try {
      return answer()
    } finally {
      tell()
    }
  }
  globalThis.fetch = stand
  return {
    sent,
    until,
    /** Waits for the trace of a response. */
    of: async (answered: { readonly headers: Headers }): Promise<Sent> => {
      const id = answered.headers.get("x-request-id") ?? ""
      const find = () => sent.find(({ text }) => text.includes(id))
      await until(() => find() !== undefined)
      return find()!
    },
    /** What it answers from now on. */
    answers: (how: () => Response) => {
      answer = how
    },
    stop: () => {
      globalThis.fetch = before
    }
  }
}
