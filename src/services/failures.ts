import * as Schema from "effect/Schema"

/** The request is wrong in itself: shape, syntax, or a rule of the method. */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", {
  message: Schema.String
}) {}

/** The body is larger than this method takes. */
export class PayloadTooLarge extends Schema.TaggedError<PayloadTooLarge>()("PayloadTooLarge", {
  limit: Schema.Finite
}) {}

/** The body's Content-Encoding is none that this server reads. */
export class UnsupportedEncoding extends Schema.TaggedError<UnsupportedEncoding>()(
  "UnsupportedEncoding",
  { encoding: Schema.String }
) {}

/** This server does not have the method, and nobody else is asked for it. */
export class MethodNotImplemented extends Schema.TaggedError<MethodNotImplemented>()(
  "MethodNotImplemented",
  {}
) {}

/** The administrator names an account that is not here. */
export class NoSuchAccount extends Schema.TaggedError<NoSuchAccount>()("NoSuchAccount", {}) {}
