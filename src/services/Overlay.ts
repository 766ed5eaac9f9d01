/** The most that running exports may make a busy repo keep, in bytes. */
const overlayLimit = 32 * 1024 * 1024

/** Thrown into an export when writes have overwritten more than the overlay holds. */
export class OverlayOverflow extends Error {
  override readonly name = "OverlayOverflow"
}

/**
 * What writes have overwritten while exports run, so that an export goes on reading the repo as it was.
 *
 * An open SQL cursor sees later writes; so a write first saves here the rows it replaces or deletes,
 * keyed by CID. Bounded: past the limit the exports fail rather than send a broken CAR.
 */
export class Overlay {
  readonly #saved = new Map<string, Uint8Array>()
  #readers = 0
  #bytes = 0
  #overflowed = false

  /** Whether any export reads on: when not, writes save nothing. */
  get active(): boolean {
    return this.#readers > 0 && !this.#overflowed
  }

  /** Whether writes overwrote more than it holds: who begins to read now needs another overlay. */
  get overflowed(): boolean {
    return this.#overflowed
  }

  /** Begins an export; call `close` once when it ends. */
  open(): void {
    this.#readers++
  }

  /** Ends an export; the last one frees what was saved. */
  close(): void {
    if (--this.#readers > 0) return
    this.#saved.clear()
    this.#bytes = 0
    this.#overflowed = false
  }

  /** Ends the exports that read through it: what they read is no longer there. */
  spoil(): void {
    this.#overflowed = true
    this.#saved.clear()
  }

  /** Saves a row that is about to be replaced or deleted. */
  save(key: string, bytes: Uint8Array): void {
    if (this.#overflowed || this.#saved.has(key)) return
    this.#bytes += bytes.byteLength
    if (this.#bytes > overlayLimit) {
      this.#overflowed = true
      this.#saved.clear()
      return
    }
    this.#saved.set(key, bytes)
  }

  /** A row as it was before it was replaced; throws OverlayOverflow when it could not be kept. */
  get(key: string): Uint8Array | undefined {
    const bytes = this.#saved.get(key)
    if (bytes === undefined && this.#overflowed)
      throw new OverlayOverflow("writes outran the export")
    return bytes
  }
}
