import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Look, together } from "../../../core/operators/alerts.ts"
import { Alerts } from "../Alerts.ts"
import { lookAtBacklog } from "./backlog.ts"
import { lookAtBackups } from "./backups.ts"
import { dependencies, lookAtDependencies } from "./dependencies.ts"
import { lookAtIdentities } from "./identities.ts"
import { noteOutage, recallOutage } from "./outage.ts"
import { lookAtRelays } from "./relays.ts"
import { reportAlerts } from "./report.ts"
import { lookAtResets } from "./resets.ts"

/** A look that failed found nothing, and ends nothing. */
const orNothing = <E, R>(part: string, look: Effect.Effect<Look, E, R>) =>
  Effect.catchCause(look, (cause) =>
    Effect.as(Effect.logWarning("the watch couldn't look", { part }, cause), together([]))
  )

/**
 * One look at the server: notes what is wrong, reports what began and what ended.
 *
 * Called every five minutes by the cron trigger, or by a timer.
 */
export const watch = Effect.gen(function* () {
  const now = yield* Clock.currentTimeMillis
  const outcomes = yield* dependencies
  if (outcomes["d1"] === "error") return yield* noteOutage(now)
  yield* Effect.ignore(recallOutage)
  const looks = [
    lookAtDependencies(outcomes),
    yield* orNothing("backups", lookAtBackups(now)),
    yield* orNothing("identities", lookAtIdentities(now)),
    yield* orNothing("relays", lookAtRelays(now)),
    yield* orNothing("backlog", lookAtBacklog(now)),
    yield* orNothing("resets", lookAtResets(now))
  ]
  yield* (yield* Alerts).note(together(looks), now)
  yield* reportAlerts(now)
})
