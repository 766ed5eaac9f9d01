import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { isNsid } from "../core/lexicon/syntax.ts"
import type { CurrentRequest } from "./CurrentRequest.ts"

/** Only the platform in front of the Worker names a request; a client's own name may be anything. */
const idOf = ({ headers }: Request): string => {
  const ray = headers.get("cf-ray") ?? ""
  return /^[0-9a-f]{16}(-[A-Z]{3})?$/.test(ray) ? ray : randomUUID()
}

/** The one line that the log gets for each request: by its NSID, or else the path of its route. */
export const logRequest = Effect.fnUntraced(function* (
  { request, route = "unknown", account }: CurrentRequest["Service"],
  nsid: string,
  status: number,
  started: number
) {
  yield* Effect.logInfo("request").pipe(
    Effect.annotateLogs({
      id: idOf(request),
      http: request.method,
      method: isNsid(nsid) ? nsid : route,
      account,
      status,
      ms: (yield* Clock.currentTimeMillis) - started
    })
  )
})
