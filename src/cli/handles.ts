import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { calledName } from "../core/identity/calledName.ts"
import { HandleDomain } from "./answers.ts"
import { Failed } from "./failure.ts"
import { query } from "./xrpc.ts"

/**
 * The full handle: a bare name gets the server's first domain; a DID or an email address is
 * unchanged.
 */
export const wholeHandle = Effect.fnUntraced(function* (server: string, given: string) {
  const name = calledName(given)
  if (/[.:@]/.test(name)) return name
  const { availableUserDomains } = yield* query(
    { server },
    "com.atproto.server.describeServer",
    Schema.Struct({ availableUserDomains: Schema.Array(HandleDomain) })
  )
  const [domain] = availableUserDomains
  if (domain !== undefined) return `${name}${domain}`
  return yield* new Failed({
    message: `${name} isn't a full handle, and ${server} doesn't offer handles`,
    next: "Write the full handle, such as alice.example.com"
  })
})
