import * as Schema from "effect/Schema"

/** There is no such authorization request to go on with. */
export class RequestOver extends Schema.TaggedError<RequestOver>()("RequestOver", {
  /** `not pushed`: the parameters came without `request_uri`. */
  reason: Schema.Literals(["over", "not pushed"])
}) {}
