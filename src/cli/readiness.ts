import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Name, Words } from "./answers.ts"
import { fetchText } from "./xrpc.ts"

const optional = Schema.optionalKey

const Finding = Schema.Struct({ variable: Name, message: Words })

const Ready = Schema.Struct({
  ready: Schema.Boolean,
  version: Words,
  checks: optional(Schema.Record(Name, Words)),
  /** Whether codes are mailed instead of shown. */
  sendsMail: optional(Schema.Boolean),
  problems: optional(Schema.Array(Finding)),
  warnings: optional(Schema.Array(Finding))
})

/** The response of a Nacre server's `/ready`. */
export type Readiness = typeof Ready.Type

/** Fetches `/ready`; undefined for servers other than Nacre. */
export const readiness = Effect.fn("cli.readiness")(function* (server: string) {
  const { text } = yield* fetchText(`${server}/ready`)
  const read = Schema.decodeEffect(Schema.fromJsonString(Ready))
  return yield* Effect.orElseSucceed(read(text), () => undefined)
})
