import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { Config, type Settings } from "../../services/host/Config.ts"
import { RequestId } from "../../services/host/RequestId.ts"
import { failure, loggable } from "./logLine.ts"

const levels = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  none: "None"
} as const satisfies Record<Settings["logLevel"], string>

/** One JSON line an entry; failures are logged only by name and location. */
const json = Logger.make(({ cause, date, fiber, logLevel, message }) => {
  const parts = Array.isArray(message) ? message : [message]
  const id = fiber.getRef(RequestId)
  const annotations = {
    ...(id === undefined ? {} : { id }),
    ...fiber.getRef(References.CurrentLogAnnotations)
  }
  const failures = cause.reasons.flatMap((reason) => {
    if (reason._tag === "Fail") return [failure(reason.error)]
    return reason._tag === "Die" ? [{ defect: failure(reason.defect) }] : []
  })
  return JSON.stringify({
    message: parts.length === 1 ? loggable(parts[0]) : parts.map((part) => loggable(part)),
    level: logLevel.toUpperCase(),
    timestamp: date.toISOString(),
    ...(cause.reasons.length === 0 ? {} : { cause: failures }),
    annotations: loggable(annotations)
  })
})

/** The log's format, also for what is logged before there is a configuration. */
export const lines: Layer.Layer<never> = Logger.layer([Logger.withConsoleLog(json)])

/** The log from the configured level up; spans only in a sampled trace. */
export const layer = Layer.unwrap(
  Effect.map(Config, ({ logLevel }) =>
    Layer.mergeAll(
      lines,
      Layer.succeed(References.MinimumLogLevel, levels[logLevel]),
      Layer.succeed(References.TracerEnabled, false)
    )
  )
)
