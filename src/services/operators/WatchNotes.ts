import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"

/** What the watch remembers: one value a name. */
export type WatchNote =
  | "alerts"
  | "backlog"
  | "begun"
  | "drill"
  | "identities"
  | "relays"
  | "returns"
  | "storage"

/** What the watch remembers from look to look, in the host's database. */
export class WatchNotes extends Context.Service<
  WatchNotes,
  {
    /** The JSON value of a name. */
    get(name: WatchNote): Effect.Effect<unknown, DirectoryUnavailable>
    set(name: WatchNote, value: unknown): Effect.Effect<void, DirectoryUnavailable>
  }
>()("nacre/services/WatchNotes") {}
