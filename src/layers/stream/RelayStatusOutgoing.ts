import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { HostClaim } from "../../core/stream/relayReport.ts"
import { Config } from "../../services/host/Config.ts"
import { Outgoing, type OutgoingResponse } from "../../services/host/Outgoing.ts"
import { RelayStatus } from "../../services/stream/RelayStatus.ts"

const optional = Schema.optionalKey
const Host = Schema.Struct({
  status: optional(Schema.String),
  seq: optional(Schema.Int),
  accountCount: optional(Schema.Int)
})
const Repo = Schema.Struct({ active: Schema.Boolean, status: optional(Schema.String) })
const Refusal = Schema.Struct({ error: Schema.String, message: optional(Schema.String) })

const decode = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  { body }: OutgoingResponse
): Option.Option<S["Type"]> =>
  Schema.decodeUnknownOption(Schema.fromJsonString(schema))(new TextDecoder().decode(body))

/** A relay's text on one line of bounded length. */
const brief = (text: string): string => text.replaceAll(/[^\x20-\x7e]+/g, " ").slice(0, 200)

const silent = (why: string): HostClaim => ({ kind: "silent", why })

const claimIn = (response: OutgoingResponse): HostClaim => {
  const { status: code } = response
  if (code < 300) {
    return Option.match(decode(Host, response), {
      onNone: () => silent("its response has an unexpected form"),
      onSome: ({ status, seq, accountCount }): HostClaim => ({
        kind: "known",
        ...(status === undefined ? {} : { status: brief(status) }),
        ...(seq === undefined ? {} : { seq }),
        ...(accountCount === undefined ? {} : { accounts: accountCount })
      })
    })
  }
  const refusal = Option.getOrUndefined(decode(Refusal, response))
  // A relay without the method says nothing about the host.
  const isAboutHost =
    (code === 400 || code === 404) &&
    refusal !== undefined &&
    !/^(MethodNotImplemented|UnknownError|NotFound)$/.test(refusal.error)
  if (!isAboutHost) return silent(`status ${code}`)
  return { kind: "unknown", why: brief(refusal.message ?? refusal.error) }
}

/** Asks relays over HTTPS. */
export const layer: Layer.Layer<RelayStatus, never, Config | Outgoing> = Layer.effect(
  RelayStatus,
  Effect.gen(function* () {
    const { host } = yield* Config
    const outgoing = yield* Outgoing
    const ask = (relay: string, query: string) =>
      outgoing.request(`${relay}/xrpc/com.atproto.sync.${query}`, {
        accept: "application/json",
        maxBytes: 10_000,
        timeout: "10 seconds",
        allowStatus: "any"
      })
    return RelayStatus.of({
      host: Effect.fn("RelayStatus.host")((relay: string) =>
        ask(relay, `getHostStatus?hostname=${encodeURIComponent(host)}`).pipe(
          Effect.map(claimIn),
          Effect.catchTags({
            OutgoingRefused: ({ reason }) => Effect.succeed(silent(reason)),
            OutgoingFailed: ({ operation }) => Effect.succeed(silent(operation))
          })
        )
      ),
      repo: Effect.fn("RelayStatus.repo")((relay: string, did: string) =>
        ask(relay, `getRepoStatus?did=${encodeURIComponent(did)}`).pipe(
          Effect.map((response) =>
            response.status < 300
              ? Option.getOrUndefined(decode(Repo, response))?.status
              : undefined
          ),
          Effect.orElseSucceed(() => undefined)
        )
      )
    })
  })
)
