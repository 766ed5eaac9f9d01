import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { otlpBody } from "../../core/operators/otlp.ts"
import { Config } from "../../services/host/Config.ts"
import { Outgoing } from "../../services/host/Outgoing.ts"
import { Traces } from "../../services/operators/Traces.ts"
import * as OutgoingFetch from "../host/OutgoingFetch.ts"

/** How many requests wait for the collector at most; further traces are left out. */
const mostWaiting = 4

/** How long nothing is sent after a failure, in milliseconds. */
const pause = 60_000

/**
 * Traces for a collector, by OTLP over HTTP; none without OTEL_EXPORTER_OTLP_ENDPOINT.
 *
 * The Worker `reports` that a collector fails, once until it works again; accounts' objects send to
 * the same collector and report nothing.
 */
export const layer = ({
  reports
}: {
  readonly reports: boolean
}): Layer.Layer<never, never, Config> =>
  Layer.unwrap(
    Effect.map(Config, ({ host, traces }) => {
      if (traces === undefined) return Layer.empty
      const { url, headers, ratio } = traces
      const client = OutgoingFetch.layer({
        // The collector is the operator's own, and may be in their network.
        allowHosts: [new URL(url).host],
        fetch: (address, init) => globalThis.fetch(address, init)
      })
      return Layer.effect(
        Traces,
        Effect.map(Outgoing, (outgoing) => {
          let waiting = 0
          let failedAt: number | undefined
          return {
            isSampled: () => Math.random() < ratio,
            send: Effect.fnUntraced(function* (spans) {
              const now = yield* Clock.currentTimeMillis
              if (spans.length === 0 || waiting >= mostWaiting) return
              if (failedAt !== undefined && Math.abs(now - failedAt) < pause) return
              waiting += 1
              yield* outgoing
                .request(url, {
                  method: "POST",
                  headers: { ...Redacted.value(headers), "content-type": "application/json" },
                  body: otlpBody(spans, host),
                  maxBytes: 65_536,
                  timeout: "5 seconds"
                })
                .pipe(
                  Effect.matchEffect({
                    onFailure: (failure) => {
                      const isFirst = failedAt === undefined
                      failedAt = now
                      return reports && isFirst
                        ? Effect.logWarning("traces can't be sent to the collector", failure)
                        : Effect.void
                    },
                    onSuccess: () => {
                      const failed = failedAt !== undefined
                      failedAt = undefined
                      return reports && failed
                        ? Effect.logInfo("traces are sent to the collector again")
                        : Effect.void
                    }
                  }),
                  Effect.ensuring(
                    Effect.sync(() => {
                      waiting -= 1
                    })
                  )
                )
            })
          }
        })
      ).pipe(Layer.provide(client))
    })
  )
