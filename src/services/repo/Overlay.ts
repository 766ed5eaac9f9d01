/** The most that the running exports of one repo may make its writes keep, in bytes. */
const overlayLimit = 48 * 1024 * 1024

/** The most that those of all repos in this isolate may keep together. */
const isolateLimit = 64 * 1024 * 1024

/** What all overlays of this isolate hold. */
const isolate = { bytes: 0 }

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
  /** The rev of the newest repo that an export reads. */
  #newest = ""
  #bytes = 0
  #overflowed = false

  /** Whether an export needs a row of this rev: what a later commit wrote, no export reads. */
  keeps(rev: string): boolean {
    return this.active && rev <= this.#newest
  }

  /** Whether any export reads on: when not, writes save nothing. */
  get active(): boolean {
    return this.#readers > 0 && !this.#overflowed
  }

  /** Whether writes overwrote more than it holds: who begins to read now needs another overlay. */
  get overflowed(): boolean {
    return this.#overflowed
  }

  /** Begins an export of the repo as of this rev, its newest; call `close` once when it ends. */
  open(rev: string): void {
    this.#readers++
    this.#newest = rev
  }

  /** Ends an export; the last one frees what was saved. */
  close(): void {
    if (--this.#readers > 0) return
    this.#clear()
    this.#overflowed = false
  }

  /** Ends the exports that read through it: what they read is no longer there. */
  spoil(): void {
    this.#overflowed = true
    this.#clear()
  }

  /** Saves a row that is about to be replaced or deleted. */
  save(key: string, bytes: Uint8Array): void {
    if (this.#overflowed || this.#saved.has(key)) return
    this.#bytes += bytes.byteLength
    isolate.bytes += bytes.byteLength
    if (this.#bytes > overlayLimit || isolate.bytes > isolateLimit) this.spoil()
    else this.#saved.set(key, bytes)
  }

  /** A row as it was before it was replaced; throws OverlayOverflow when it could not be kept. */
  get(key: string): Uint8Array | undefined {
    const bytes = this.#saved.get(key)
    if (bytes === undefined && this.#overflowed)
      throw new OverlayOverflow("writes outran the export")
    return bytes
  }

  #clear(): void {
    this.#saved.clear()
    isolate.bytes -= this.#bytes
    this.#bytes = 0
  }
}
