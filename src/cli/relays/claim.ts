import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Tid, Words } from "../answers.ts"
import { CallFailed } from "../failure.ts"
import { query } from "../xrpc.ts"

const optional = Schema.optionalKey

const HostStatus = Schema.Struct({ seq: optional(Schema.Int), status: optional(Words) })

const RepoStatus = Schema.Struct({ rev: optional(Tid) })

/** A relay's claim about a server: known, unknown, or nothing useful. */
export type Claim =
  | {
      readonly kind: "known"
      readonly seq: number | undefined
      readonly status: string | undefined
      /** Its rev of the account in question. */
      readonly rev: string | undefined
    }
  | { readonly kind: "unknown" | "silent"; readonly why: string }

/**
 * Relays without the method respond in several ways; one with it says that it doesn't know the
 * host.
 */
const lacksMethod = ({ status, error }: CallFailed): boolean =>
  status === 501 || status === 405 || (status === 404 && error === "UnknownError")

/** Asks a relay how far it has read a server and one of its accounts. */
export const claimOf = Effect.fn("cli.claimOf")(function* (
  relay: string,
  host: string,
  did: string | undefined
) {
  const asked = { server: relay }
  const known = Effect.gen(function* () {
    const { seq, status } = yield* query(asked, "com.atproto.sync.getHostStatus", HostStatus, {
      hostname: host
    })
    const repo =
      did === undefined
        ? undefined
        : yield* query(asked, "com.atproto.sync.getRepoStatus", RepoStatus, { did }).pipe(
            Effect.catchTag("CallFailed", () => Effect.undefined)
          )
    return { kind: "known", seq, status, rev: repo?.rev } satisfies Claim as Claim
  })
  return yield* Effect.catchTags(known, {
    CallFailed: (failure) =>
      Effect.succeed<Claim>({
        kind: lacksMethod(failure) ? "silent" : "unknown",
        why: failure.message === "" ? `${failure.status} ${failure.error}` : failure.message
      }),
    Unreachable: ({ why }) => Effect.succeed<Claim>({ kind: "silent", why })
  })
})
