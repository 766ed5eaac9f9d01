import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"

const accounts = new WeakMap<Request, string>()

/** Notes which account a request is about: for its line in the log, where nothing but the DID is told. */
export const noteAccount = (request: Request, did: string): void => {
  accounts.set(request, did)
}

/** The one line that the log gets for each request; `method` is the NSID, or else the path. */
export const logRequest = Effect.fnUntraced(function* (
  request: Request,
  method: string,
  status: number,
  started: number
) {
  yield* Effect.logInfo("request").pipe(
    Effect.annotateLogs({
      id: request.headers.get("cf-ray") ?? randomUUID(),
      http: request.method,
      method: method.slice(0, 512),
      account: accounts.get(request),
      status,
      ms: (yield* Clock.currentTimeMillis) - started
    })
  )
})
