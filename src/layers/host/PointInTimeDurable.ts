import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  PointInTime,
  PointInTimeOff,
  type PointInTimeShape
} from "../../services/backups/pointInTime/PointInTime.ts"

const key = "point in time"

/** The part of a Durable Object's state that this uses. */
export interface ObjectState {
  readonly storage: Pick<
    DurableObjectStorage,
    "getBookmarkForTime" | "getCurrentBookmark" | "onNextSessionRestoreBookmark" | "sync" | "kv"
  >
  abort(reason?: string): void
}

/** A Durable Object's way back: the platform keeps the states of the last 30 days. */
export const make = ({ storage, abort }: ObjectState): PointInTimeShape => {
  const asking = <A>(use: () => Promise<A>): Effect.Effect<A, PointInTimeOff> =>
    Effect.tryPromise({
      try: async () => use(),
      catch: (cause) =>
        new PointInTimeOff({ problem: cause instanceof Error ? cause.message : String(cause) })
    })
  const restart = (reason: string): Effect.Effect<never> =>
    Effect.andThen(
      Effect.promise(() => storage.sync()),
      Effect.suspend(() => {
        abort(reason)
        return Effect.never
      })
    )
  return {
    bookmarkAt: (time) => asking(() => storage.getBookmarkForTime(time)),
    now: asking(() => storage.getCurrentBookmark()),
    goTo: (bookmark) =>
      Effect.andThen(
        asking(() => storage.onNextSessionRestoreBookmark(bookmark)),
        restart("the account goes back to an earlier state")
      ),
    restart: restart("the account has gone back to an earlier state"),
    mark: () => storage.kv.get<string>(key),
    setMark: (mark) => storage.kv.put(key, mark)
  }
}

/** A Durable Object's way back. */
export const layer = (state: DurableObjectState): Layer.Layer<never> =>
  Layer.succeed(
    PointInTime,
    make({ storage: state.storage, abort: (reason) => state.abort(reason) })
  )
