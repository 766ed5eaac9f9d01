import * as Schema from "effect/Schema"

const requestErrors = [
  "invalid_request",
  "invalid_scope",
  "invalid_redirect_uri",
  "unauthorized_client",
  "unsupported_grant_type",
  "unsupported_response_type"
] as const

/** The error names for an invalid request. */
export type RequestError = (typeof requestErrors)[number]

/** Whether a name is one of the errors for a request. */
export const isRequestError = (name: string): name is RequestError =>
  requestErrors.some((error) => error === name)

/** The request violates a rule; `reason` is for the client's developer. */
export class RequestRefused extends Schema.TaggedError<RequestRefused>()("RequestRefused", {
  error: Schema.Literals(requestErrors),
  reason: Schema.String
}) {}

/** The client did not authenticate for its id. */
export class ClientUnproven extends Schema.TaggedError<ClientUnproven>()("ClientUnproven", {
  clientId: Schema.String,
  /** `unknown key`: the client does not publish the key that signed the assertion (any more). */
  fault: Schema.Literals([
    "no assertion",
    "assertion of a public client",
    "unknown assertion type",
    "invalid assertion",
    "unknown key",
    "used assertion",
    "same key for DPoP"
  ]),
  reason: Schema.optional(Schema.String)
}) {}

/** Why a code or a refresh token is rejected. */
const grantFaults = [
  "unknown code",
  "used code",
  "unknown refresh token",
  "other client",
  "other client key",
  "withdrawn client key",
  "other DPoP key",
  "other redirect_uri",
  "wrong code_verifier",
  "used code_challenge",
  "scope not declared"
] as const

/** The bearer cannot use the code or refresh token. */
export class GrantRefused extends Schema.TaggedError<GrantRefused>()("GrantRefused", {
  fault: Schema.Literals(grantFaults)
}) {}
