/** Bytes that the running exports of one repo may make its writes keep: all of a 45 MB repo. */
const overlayLimit = 48 * 1024 * 1024

/** The same limit for all repos in this isolate together. */
const isolateLimit = 64 * 1024 * 1024

/** The total of all overlays in this isolate, and the overlays that hold something. */
const isolate = { bytes: 0, overlays: new Set<Overlay>() }

/** Thrown into an export when writes have replaced more than the overlay can hold. */
export class OverlayOverflow extends Error {
  override readonly name = "OverlayOverflow"
}

/** An export's view of the rows that writes have replaced since it started. */
export interface OverlayReading {
  /** The row as it was before it was replaced; throws OverlayOverflow if it was not kept. */
  get(key: string): Uint8Array | undefined
  /** Ends the export and frees what no other export needs. */
  close(): void
}

/** A running export; numbers ascend. */
interface Reader extends OverlayReading {
  readonly number: number
  readonly rev: string
  /** True after the overlay gave up on this export, which then fails at the first missing row. */
  isOutrun: boolean
}

/** A replaced row, and the newest export that may need it. */
interface Saved {
  readonly bytes: Uint8Array
  readonly number: number
}

/**
 * Keeps the rows that writes replace while exports run, so an export reads a consistent snapshot.
 *
 * An open SQL cursor sees later writes, so a write first saves the rows that it replaces or
 * deletes, by CID. At its limit the oldest export fails instead of sending a broken CAR.
 */
export class Overlay {
  /** Ordered by export number. */
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

  /** Whether any export is running; if not, writes save nothing. */
  get active(): boolean {
    return this.#readers.length > 0
  }

  /** Starts an export of the repo at this rev, the newest; the caller closes it once. */
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

  /** Ends all exports that read through this overlay, because the rows they read are gone. */
  spoil(): void {
    for (const reader of this.#readers) this.#giveUp(reader)
  }

  /** Saves a row before it is replaced or deleted. */
  save(key: string, bytes: Uint8Array): void {
    const newest = this.#readers.at(-1)
    if (newest === undefined) return
    const { number } = newest
    // A row saved for an older export is now needed longer, so it moves to the end.
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
