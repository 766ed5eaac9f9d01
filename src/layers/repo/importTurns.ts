/**
 * An import without a turn for this long is considered dead, in milliseconds: an object may end
 * without notice.
 */
const idleMillis = 120_000

/** An import's claim on the isolate. */
export interface Turn {
  readonly did: string
  touched: number
}

/**
 * Lets one account at a time import in an isolate, because an import takes up to half of its
 * memory.
 */
export class ImportTurns {
  #current: Turn | undefined

  /** Whether an account may start to import; its own running import doesn't block it. */
  isFree(did: string, now: number): boolean {
    const current = this.#current
    return current === undefined || current.did === did || now - current.touched > idleMillis
  }

  /** Starts an import; undefined while another account's import runs. */
  begin(did: string, now: number): Turn | undefined {
    if (!this.isFree(did, now)) return undefined
    return (this.#current = { did, touched: now })
  }

  /** Ends an import. */
  end(turn: Turn): void {
    if (this.#current === turn) this.#current = undefined
  }
}

/** The imports of this isolate: only numbers and a name, so it may outlive every object. */
export const isolateTurns = new ImportTurns()
