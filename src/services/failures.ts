import * as Schema from "effect/Schema"

/** The request is invalid: its shape, its syntax, or a rule of the method. */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", {
  message: Schema.String
}) {}

/** The body exceeds the method's limit. */
export class PayloadTooLarge extends Schema.TaggedError<PayloadTooLarge>()("PayloadTooLarge", {
  limit: Schema.Finite
}) {}

/** The body's Content-Encoding is unsupported. */
export class UnsupportedEncoding extends Schema.TaggedError<UnsupportedEncoding>()(
  "UnsupportedEncoding",
  { encoding: Schema.String }
) {}

/** This server doesn't implement the method and doesn't proxy it. */
export class MethodNotImplemented extends Schema.TaggedError<MethodNotImplemented>()(
  "MethodNotImplemented",
  {}
) {}

/** The administrator names an account that doesn't exist on this server. */
export class NoSuchAccount extends Schema.TaggedError<NoSuchAccount>()("NoSuchAccount", {}) {}
