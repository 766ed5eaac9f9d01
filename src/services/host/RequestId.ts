import * as Context from "effect/Context"

/** The header that names a request to its client, and on its way from the Worker to an account's object. */
export const requestIdHeader = "x-request-id"

/**
 * The id of the request that is being answered; undefined for work that no request began.
 *
 * The log puts it on every line.
 */
export const RequestId = Context.Reference<string | undefined>("nacre/services/RequestId", {
  defaultValue: () => undefined
})
