import type { RelayCall } from "../../services/stream/Sequencer.ts"
import type { CrawlAnswer } from "../../services/stream/Relays.ts"
import type { EventLog } from "./EventLog.ts"

/** Minimum time between two requests to a relay, in milliseconds. */
const pause = 20 * 60 * 1000

/** Which relays to ask to crawl, and their last responses; stored with the log. */
export class Crawls {
  private readonly log: EventLog
  private readonly calls: Map<string, RelayCall | undefined>

  constructor(log: EventLog, relays: ReadonlyArray<string>) {
    this.log = log
    this.calls = new Map(relays.map((relay) => [relay, this.read(relay)]))
  }

  /** The relays to ask after an event; they count as asked from now on. */
  due(now: number): ReadonlyArray<string> {
    return this.take(now, () => true)
  }

  /** The relays to ask at the start: those that never accepted. */
  dueAtStart(now: number): ReadonlyArray<string> {
    return this.take(now, (call) => call?.ok !== true)
  }

  private take(
    now: number,
    wanted: (call: RelayCall | undefined) => boolean
  ): ReadonlyArray<string> {
    const due: Array<string> = []
    for (const [relay, call] of this.calls) {
      if (!wanted(call) || now - (call?.at ?? -Infinity) < pause) continue
      due.push(relay)
      this.calls.set(relay, { relay, at: now, ok: call?.ok ?? false })
    }
    return due
  }

  /** Stores a relay's response. */
  note(relay: string, at: number, answer: CrawlAnswer): void {
    const call = { relay, at, ...answer }
    this.calls.set(relay, call)
    this.log.setNote(`relay ${relay}`, JSON.stringify(call))
  }

  /** Every relay with the last call to it. */
  get last(): ReadonlyArray<RelayCall> {
    return [...this.calls].map(([relay, call]) => call ?? { relay, ok: false })
  }

  private read(relay: string): RelayCall | undefined {
    const stored = this.log.note(`relay ${relay}`)
    // SAFETY: only `note` writes there.
    return stored === undefined ? undefined : (JSON.parse(stored) as RelayCall)
  }
}
