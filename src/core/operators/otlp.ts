import { version } from "../host/version.ts"

/** A value of an attribute. */
export type AttributeValue = string | number

/** A span that has ended. Times are in nanoseconds since 1970. */
export interface EndedSpan {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  readonly parentId: string | undefined
  readonly name: string
  readonly kind: "server" | "internal"
  readonly startedAt: bigint
  readonly endedAt: bigint
  /** The name of its failure. */
  readonly failure: string | undefined
  readonly attributes: Readonly<Record<string, AttributeValue>>
}

/** The place of a span, for spans below it in another object. */
export interface TraceParent {
  readonly traceId: string
  readonly spanId: string
}

/** A trace's place as a header's value. */
export const traceText = ({ traceId, spanId }: TraceParent): string => `${traceId}-${spanId}`

/** Parses a trace's place; undefined for any other text. */
export const parseTrace = (text: string | null): TraceParent | undefined => {
  const [, traceId, spanId] = /^([0-9a-f]{32})-([0-9a-f]{16})$/.exec(text ?? "") ?? []
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId }
}

const attribute = ([key, value]: readonly [string, AttributeValue]) => ({
  key,
  value: typeof value === "string" ? { stringValue: value } : { intValue: String(value) }
})

const attributesOf = (values: EndedSpan["attributes"]) => Object.entries(values).map(attribute)

const kinds = { internal: 1, server: 2 } as const
const failed = 2

const spanOf = (span: EndedSpan) => ({
  traceId: span.traceId,
  spanId: span.spanId,
  ...(span.parentId === undefined ? {} : { parentSpanId: span.parentId }),
  name: span.name,
  kind: kinds[span.kind],
  startTimeUnixNano: String(span.startedAt),
  endTimeUnixNano: String(span.endedAt),
  attributes: attributesOf({
    ...span.attributes,
    ...(span.failure === undefined ? {} : { "error.type": span.failure })
  }),
  status: span.failure === undefined ? {} : { code: failed }
})

/** The body of a request to a collector, OTLP 1 as JSON. */
export const otlpBody = (spans: ReadonlyArray<EndedSpan>, host: string): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: {
          attributes: attributesOf({
            "service.name": "nacre",
            "service.version": version,
            "service.instance.id": host
          })
        },
        scopeSpans: [{ scope: { name: "nacre", version }, spans: spans.map(spanOf) }]
      }
    ]
  })

/** Headers that the client sets itself. */
const own = /^(host|connection|content-length|content-type|transfer-encoding|cookie)$/i

/**
 * Parses a collector's headers: `name=value`, separated by commas, with percent-encoded values.
 * Undefined if the text is malformed. Spec: OpenTelemetry, OTEL_EXPORTER_OTLP_HEADERS.
 */
export const parseHeaders = (text: string): Readonly<Record<string, string>> | undefined => {
  const headers: Record<string, string> = {}
  for (const part of text.split(",")) {
    const [, name = "", encoded = ""] = /^\s*([\w.-]+)\s*=\s*(\S.*?)\s*$/.exec(part) ?? []
    if (name === "" || own.test(name)) return undefined
    try {
      const value = decodeURIComponent(encoded)
      if (!/^[\x20-\x7e]+$/.test(value)) return undefined
      headers[name.toLowerCase()] = value
    } catch {
      return undefined
    }
  }
  return headers
}
