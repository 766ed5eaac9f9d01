import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { maxDidDocumentBytes, parseDidDocument } from "../../core/identity/didDocument.ts"
import { parseOperation, parsePlcData } from "../../core/identity/plcParse.ts"
import { DidDeactivated, DidNotFound } from "../../services/identity/Identity.ts"
import { Outgoing, type OutgoingResponse } from "../../services/host/Outgoing.ts"
import { PlcDirectory, PlcRefused, PlcUnavailable } from "../../services/identity/PlcDirectory.ts"

/** The protocol doesn't limit logs; the longest legitimate ones are far smaller. */
const maxLogBytes = 4 * 1024 * 1024

const text = new TextDecoder()

/** A PLC directory over HTTP, at `url` (https://plc.directory). */
export const layer = (options: {
  readonly url: string
}): Layer.Layer<PlcDirectory, never, Outgoing> =>
  Layer.effect(
    PlcDirectory,
    Effect.gen(function* () {
      const outgoing = yield* Outgoing
      return make(outgoing, options.url.replace(/\/+$/, ""))
    })
  )

const make = (outgoing: Outgoing["Service"], base: string): PlcDirectory["Service"] => {
  const addressOf = (did: string, path: string) => `${base}/${encodeURIComponent(did)}${path}`

  const get = Effect.fnUntraced(function* <A>(
    did: string,
    path: string,
    maxBytes: number,
    read: (json: unknown) => A
  ): Effect.fn.Return<A, DidNotFound | DidDeactivated | PlcUnavailable> {
    const operation = `GET ${path}`
    const response = yield* outgoing
      .request(addressOf(did, path), {
        accept: "application/json",
        maxBytes,
        timeout: "5 seconds",
        allowStatus: [404, 410, 429]
      })
      .pipe(Effect.mapError((cause) => new PlcUnavailable({ operation, cause })))
    if (response.status === 429) return yield* limited(operation, response)
    if (response.status === 404) return yield* new DidNotFound({ did })
    if (response.status === 410) return yield* new DidDeactivated({ did })
    return yield* Effect.try({
      try: () => read(JSON.parse(text.decode(response.body))),
      catch: (cause) => new PlcUnavailable({ operation, cause })
    })
  })

  /** DIDs with a tombstone also have a log. */
  const getLog = <A>(did: string, path: string, read: (json: unknown) => A) =>
    get(did, path, maxLogBytes, read).pipe(
      Effect.catchTag("DidDeactivated", () =>
        Effect.fail(new PlcUnavailable({ operation: `GET ${path}` }))
      )
    )

  return PlcDirectory.of({
    submit: Effect.fn("PlcDirectory.submit")(function* (did, operation) {
      const response = yield* outgoing
        .request(addressOf(did, ""), {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(operation),
          maxBytes: 64 * 1024,
          timeout: "10 seconds",
          allowStatus: [400, 404, 409, 410, 429]
        })
        .pipe(Effect.mapError((cause) => new PlcUnavailable({ operation: "POST", cause })))
      if (response.status === 429) return yield* limited("POST", response)
      if (response.status >= 400) {
        return yield* new PlcRefused({ did, reason: messageOf(response) })
      }
    }),
    log: (did) => getLog(did, "/log", readLog),
    last: (did) => getLog(did, "/log/last", parseOperation),
    data: (did) => get(did, "/data", maxDidDocumentBytes, parsePlcData),
    document: (did) => get(did, "", maxDidDocumentBytes, (json) => parseDidDocument(did, json))
  })
}

/** The directory limits requests; without a time, a few seconds must do. */
const limited = (operation: string, { headers }: OutgoingResponse) => {
  const seconds = /^\d{1,5}$/.exec(headers.get("retry-after") ?? "")?.[0] ?? "5"
  return new PlcUnavailable({ operation, retryAfter: Number(seconds) * 1000 })
}

const readLog = (json: unknown) => {
  if (!Array.isArray(json)) throw new TypeError("the log is not a list")
  return json.map(parseOperation)
}

/** The directory's error message, if it has one. */
const messageOf = ({ body, status }: OutgoingResponse): string => {
  try {
    const json: unknown = JSON.parse(text.decode(body))
    if (typeof json === "object" && json !== null && "message" in json) {
      return String(json.message).slice(0, 500)
    }
  } catch {
    // Not JSON: the status must suffice.
  }
  return `status ${status}`
}
