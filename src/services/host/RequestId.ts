import * as Context from "effect/Context"

/** The header with a request's id, for its client, and from the Worker to an account's object. */
export const requestIdHeader = "x-request-id"

/**
 * The id of the current request; undefined for work that no request started.
 *
 * Every log line has it.
 */
export const RequestId = Context.Reference<string | undefined>("nacre/services/RequestId", {
  defaultValue: () => undefined
})
