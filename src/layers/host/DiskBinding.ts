import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Disk } from "../../services/host/Disk.ts"

/** The disk as reported by the program that runs this Worker on its machine. */
export const layer = (binding: Fetcher | undefined): Layer.Layer<never> =>
  Layer.succeed(
    Disk,
    binding === undefined
      ? undefined
      : {
          free: Effect.promise(async () => {
            const response = await binding.fetch("http://disk/free")
            return Number(await response.text())
          })
        }
  )
