/** After so long without a turn an import counts as gone, ms: an object may end without a word. */
const idleMillis = 120_000

/** An import's hold on the isolate. */
export interface Turn {
  readonly did: string
  touched: number
}

/** Lets one account at a time import in an isolate: an import takes up to half of its memory. */
export class ImportTurns {
  #current: Turn | undefined

  /** Whether an account may begin to import; its own import under way does not keep it from that. */
  isFree(did: string, now: number): boolean {
    const current = this.#current
    return current === undefined || current.did === did || now - current.touched > idleMillis
  }

  /** Begins an import, or answers undefined while another account's is under way. */
  begin(did: string, now: number): Turn | undefined {
    if (!this.isFree(did, now)) return undefined
    return (this.#current = { did, touched: now })
  }

  /** Ends an import. */
  end(turn: Turn): void {
    if (this.#current === turn) this.#current = undefined
  }
}

/** The imports of this isolate: numbers and a name alone, so that it may outlive every object. */
export const isolateTurns = new ImportTurns()
