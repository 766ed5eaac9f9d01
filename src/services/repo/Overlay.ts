/** The most that the running exports of one repo may make its writes keep, in bytes: a repo of 45 MB, written anew. */
const overlayLimit = 48 * 1024 * 1024

/** The most that those of all repos in this isolate may keep together. */
const isolateLimit = 64 * 1024 * 1024

/** What all overlays of this isolate hold, and those that hold anything. */
const isolate = { bytes: 0, overlays: new Set<Overlay>() }

/** Thrown into an export when writes have overwritten more than the overlay holds. */
export class OverlayOverflow extends Error {
  override readonly name = "OverlayOverflow"
}

/** What an export reads of the rows that writes have replaced since it began. */
export interface OverlayReading {
  /** A row as it was before it was replaced; throws OverlayOverflow when it could not be kept. */
  get(key: string): Uint8Array | undefined
  /** Ends the export; what no other export needs is freed. */
  close(): void
}

/** An export that reads: its number rises from each to the next. */
interface Reader extends OverlayReading {
  readonly number: number
  readonly rev: string
  /** Whether the overlay gave this export up: it fails at the first row that is gone. */
  isOutrun: boolean
}

/** A row that was replaced, and the newest export that may need it. */
interface Saved {
  readonly bytes: Uint8Array
  readonly number: number
}

/**
 * What writes have overwritten while exports run, so that an export goes on reading the repo as it was.
 *
 * An open SQL cursor sees later writes; so a write first saves here the rows it replaces or deletes,
 * keyed by CID. Bounded: past the limit the oldest export fails rather than send a broken CAR.
 */
export class Overlay {
  /** In the order of their numbers. */
  readonly #saved = new Map<string, Saved>()
  /** Oldest first. */
  #readers: ReadonlyArray<Reader> = []
  #opened = 0
  #bytes = 0

  /** Whether an export needs a row of this rev: no export reads what a later commit wrote. */
  keeps(rev: string): boolean {
    const newest = this.#readers.at(-1)
    return newest !== undefined && rev <= newest.rev
  }

  /** Whether any export reads on: when not, writes save nothing. */
  get active(): boolean {
    return this.#readers.length > 0
  }

  /** Begins an export of the repo as of this rev, its newest; close it once. */
  open(rev: string): OverlayReading {
    const reader: Reader = {
      number: ++this.#opened,
      rev,
      isOutrun: false,
      get: (key) => {
        const saved = this.#saved.get(key)
        if (saved === undefined && reader.isOutrun) {
          throw new OverlayOverflow("writes outran the export")
        }
        return saved?.bytes
      },
      close: () => this.#drop(reader)
    }
    this.#readers = [...this.#readers, reader]
    return reader
  }

  /** Ends the exports that read through it: what they read is no longer there. */
  spoil(): void {
    for (const reader of this.#readers) this.#giveUp(reader)
  }

  /** Saves a row that is about to be replaced or deleted. */
  save(key: string, bytes: Uint8Array): void {
    const newest = this.#readers.at(-1)
    if (newest === undefined) return
    const { number } = newest
    // One that was saved for an older export alone is needed longer from now on, and moves to the end.
    this.#remove(key)
    this.#saved.set(key, { bytes, number })
    this.#count(bytes.byteLength)
    while (this.#bytes > overlayLimit) this.#giveUpOldest()
    while (isolate.bytes > isolateLimit) Overlay.#largest().#giveUpOldest()
  }

  #giveUpOldest(): void {
    const [oldest] = this.#readers
    if (oldest === undefined) this.#free(Infinity)
    else this.#giveUp(oldest)
  }

  #giveUp(reader: Reader): void {
    reader.isOutrun = true
    this.#drop(reader)
  }

  #drop(reader: Reader): void {
    this.#readers = this.#readers.filter((other) => other !== reader)
    this.#free(this.#readers[0]?.number ?? Infinity)
  }

  /** Frees what no export from this number on needs. */
  #free(from: number): void {
    for (const [key, { number }] of this.#saved) {
      if (number >= from) return
      this.#remove(key)
    }
  }

  #remove(key: string): void {
    const saved = this.#saved.get(key)
    if (saved === undefined) return
    this.#saved.delete(key)
    this.#count(-saved.bytes.byteLength)
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    isolate.bytes += bytes
    if (this.#bytes > 0) isolate.overlays.add(this)
    else isolate.overlays.delete(this)
  }

  /** The overlay of this isolate that holds the most. */
  static #largest(): Overlay {
    return [...isolate.overlays].reduce((one, other) => (other.#bytes > one.#bytes ? other : one))
  }
}
