import * as Schema from "effect/Schema"

/** The protocol's names for a sign-up turned down. */
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

/** What was sent cannot become an account; `error` is the name on the wire. */
export class SignUpRefused extends Schema.TaggedError<SignUpRefused>()("SignUpRefused", {
  error: Schema.Literals(signUpRefusals),
  message: Schema.String,
  /** The part of the sign-up that is wrong, for forms. */
  field: Schema.optional(Schema.Literals(["handle", "email", "password"]))
}) {}
