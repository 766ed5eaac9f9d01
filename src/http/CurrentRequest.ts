import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { isSupportedDid } from "../core/identity/did.ts"

/** The request that is being answered, and what the way to its answer leaves for the headers and the log. */
export class CurrentRequest extends Context.Service<
  CurrentRequest,
  {
    readonly request: Request
    readonly url: URL
    /** The path of its route: its own path may hold anything. */
    readonly route: string | undefined
    /** Which account it is about. */
    account: string | undefined
    /** The answer came from another object: its headers cannot be changed. */
    isForwarded: boolean
    /** The headers that tell how much of a limit is left. */
    limits: Readonly<Record<string, string>>
  }
>()("nacre/http/CurrentRequest") {}

/** A request as it comes in. */
export const currentRequest = (
  request: Request,
  url: URL,
  route?: string
): CurrentRequest["Service"] => ({
  request,
  url,
  route,
  account: undefined,
  isForwarded: false,
  limits: {}
})

/** Notes which account the request is about: its line in the log tells nothing of it but the DID. */
export const noteAccount = (did: string): Effect.Effect<void, never, CurrentRequest> =>
  Effect.map(CurrentRequest, (current) => {
    if (isSupportedDid(did)) current.account = did
  })
