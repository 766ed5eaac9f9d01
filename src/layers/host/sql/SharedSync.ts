import { closeSync, fdatasync, openSync } from "node:fs"
import * as Effect from "effect/Effect"

const syncData = (file: number) =>
  new Promise<void>((resolve, reject) =>
    fdatasync(file, (cause) => (cause === null ? resolve() : reject(cause)))
  )

/** Ends the process: the system may have dropped what it couldn't write, and no later sync says so. */
const endProcess = (cause: unknown): void => {
  process.nextTick(() => {
    throw new Error("The disk failed to sync what was written; the server ends.", { cause })
  })
}

/**
 * The syncs of a database's journal, off the main thread: commits that come during one share the next.
 *
 * A later commit that SQLite syncs itself covers earlier ones too, since the journal is one file.
 */
export class SharedSync {
  readonly #path: string
  readonly #onFailure: (cause: unknown) => void
  #file: number | undefined
  #committed = 0
  #synced = 0
  #running: Promise<void> | undefined

  constructor(path: string, onFailure = endProcess) {
    this.#path = path
    this.#onFailure = onFailure
  }

  /** Notes a commit that isn't synced yet. */
  owe(): void {
    this.#committed += 1
  }

  /** Waits until every commit so far is on the disk; never ends if the disk fails. */
  readonly done: Effect.Effect<void> = Effect.suspend(() =>
    this.#synced === this.#committed
      ? Effect.void
      : Effect.promise(() => this.#syncTo(this.#committed))
  )

  async #syncTo(commit: number): Promise<void> {
    while (this.#synced < commit) await (this.#running ??= this.#sync())
  }

  async #sync(): Promise<void> {
    const commit = this.#committed
    try {
      await syncData((this.#file ??= openSync(this.#path, "r+")))
      this.#synced = Math.max(this.#synced, commit)
      this.#running = undefined
    } catch (cause) {
      this.#onFailure(cause)
      return new Promise(() => {})
    }
  }

  /** Lets the journal go, whose database was closed: SQLite has synced it, or it was deleted. */
  close(): void {
    this.#synced = this.#committed
    const file = this.#file
    if (file === undefined) return
    this.#file = undefined
    void (this.#running ?? Promise.resolve()).then(() => closeSync(file))
  }
}
