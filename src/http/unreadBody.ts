import * as Effect from "effect/Effect"
import { Config } from "../services/host/Config.ts"

/** How long the rest of a body is waited for. */
const patience = "2 seconds"

/**
 * Reads away what nobody has read of a request's body: on this machine only.
 *
 * There the client speaks to the server process itself, which cuts the connection when it answers in the middle of a
 * body: the client may then never see why it was refused. In front of a deployment Cloudflare's edge takes the body.
 */
export const finishBody = Effect.fnUntraced(function* ({ body }: Request) {
  const { isLocal } = yield* Config
  // A body that is being read, or was handed on, is somebody else's to finish.
  if (!isLocal || body === null || body.locked) return
  yield* Effect.tryPromise((signal) => body.pipeTo(new WritableStream(), { signal })).pipe(
    Effect.timeout(patience),
    Effect.ignore
  )
})
