import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { EdgeCache } from "../../services/edge/EdgeCache.ts"

/** The cache's size in bytes; the oldest entry is dropped first. */
const maxBytes = 64 * 1024 * 1024

interface Kept {
  readonly bytes: ArrayBuffer
  readonly headers: Headers
  readonly until: number
}

const secondsOf = (headers: Headers): number =>
  Number(/\bmax-age=(\d+)/.exec(headers.get("cache-control") ?? "")?.[1] ?? 0)

/** A cache in this process. */
export const make = (): EdgeCache["Service"] => {
  const kept = new Map<string, Kept>()
  let size = 0

  const drop = (key: string): void => {
    size -= kept.get(key)?.bytes.byteLength ?? 0
    kept.delete(key)
  }

  return EdgeCache.of({
    match: Effect.fnUntraced(function* (key) {
      const found = kept.get(key)
      if (found === undefined) return undefined
      if (found.until > (yield* Clock.currentTimeMillis)) {
        return new Response(found.bytes.slice(0), { headers: found.headers })
      }
      drop(key)
      return undefined
    }),
    put: Effect.fnUntraced(function* (key, response) {
      const { headers } = response
      const seconds = secondsOf(headers)
      if (response.status !== 200 || seconds === 0) return
      const bytes = yield* Effect.promise(() => response.arrayBuffer())
      drop(key)
      kept.set(key, {
        bytes,
        headers,
        until: (yield* Clock.currentTimeMillis) + seconds * 1000
      })
      size += bytes.byteLength
      for (const oldest of kept.keys()) {
        if (size <= maxBytes) break
        drop(oldest)
      }
    })
  })
}

/** An edge with one location: this process. */
export const layer: Layer.Layer<EdgeCache> = Layer.sync(EdgeCache, make)
