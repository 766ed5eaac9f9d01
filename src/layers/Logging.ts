import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { Config, type Settings } from "../services/Config.ts"

const levels = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  none: "None"
} as const satisfies Record<Settings["logLevel"], string>

/** One JSON line an entry, from the configured level up; spans are not traced. */
export const layer = Layer.unwrap(
  Effect.map(Config, ({ logLevel }) =>
    Layer.mergeAll(
      Logger.layer([Logger.consoleJson]),
      Layer.succeed(References.MinimumLogLevel, levels[logLevel]),
      Layer.succeed(References.TracerEnabled, false)
    )
  )
)
