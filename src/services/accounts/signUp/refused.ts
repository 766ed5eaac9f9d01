import * as Schema from "effect/Schema"

/** The protocol's error names for a failed sign-up. */
const signUpRefusals = [
  "InvalidRequest",
  "InvalidHandle",
  "InvalidEmail",
  "InvalidPassword",
  "InvalidInviteCode",
  "HandleNotAvailable",
  "UnsupportedDomain",
  "UnresolvableDid",
  "IncompatibleDidDoc"
] as const

/** The sign-up is invalid; `error` is the name in the response. */
export class SignUpRefused extends Schema.TaggedError<SignUpRefused>()("SignUpRefused", {
  error: Schema.Literals(signUpRefusals),
  message: Schema.String,
  /** The wrong field, for forms. */
  field: Schema.optional(Schema.Literals(["handle", "email", "password", "invite"]))
}) {}
