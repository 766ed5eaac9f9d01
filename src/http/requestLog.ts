import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { isSupportedDid } from "../core/identity/did.ts"
import { isNsid } from "../core/lexicon/syntax.ts"

const accounts = new WeakMap<Request, string>()
const paths = new WeakMap<Request, string>()

/** Notes which account a request is about: for its line in the log, where nothing but the DID is told. */
export const noteAccount = (request: Request, did: string): void => {
  if (isSupportedDid(did)) accounts.set(request, did)
}

/** Notes the path of the route that a request takes: its own path may hold anything. */
export const noteRoute = (request: Request, path: string): void => {
  paths.set(request, path)
}

const methodOf = (request: Request, nsid: string): string =>
  isNsid(nsid) ? nsid : (paths.get(request) ?? "unknown")

/** Only the platform in front of the Worker names a request; a client's own name may be anything. */
const idOf = ({ headers }: Request): string => {
  const ray = headers.get("cf-ray") ?? ""
  return /^[0-9a-f]{16}(-[A-Z]{3})?$/.test(ray) ? ray : randomUUID()
}

/** The one line that the log gets for each request: by its NSID, or else the path of its route. */
export const logRequest = Effect.fnUntraced(function* (
  request: Request,
  nsid: string,
  status: number,
  started: number
) {
  yield* Effect.logInfo("request").pipe(
    Effect.annotateLogs({
      id: idOf(request),
      http: request.method,
      method: methodOf(request, nsid),
      account: accounts.get(request),
      status,
      ms: (yield* Clock.currentTimeMillis) - started
    })
  )
})
