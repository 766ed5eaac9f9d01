import { createHash } from "node:crypto"
import { cidFromDigest, raw } from "../repo/cid.ts"
import { sniff, sniffLength } from "./sniff.ts"

/** Determines a blob's size, CID and type as its bytes pass, and keeps only the first few. */
export class BlobMeter {
  readonly #hash = createHash("sha256")
  readonly #first = new Uint8Array(sniffLength)
  #size = 0

  /** The bytes so far. */
  get size(): number {
    return this.#size
  }

  /** Adds the next bytes; does not keep them. */
  update(chunk: Uint8Array): void {
    if (this.#size < sniffLength) {
      this.#first.set(chunk.subarray(0, sniffLength - this.#size), this.#size)
    }
    this.#hash.update(chunk)
    this.#size += chunk.byteLength
  }

  /** The result; call once, after the last byte. */
  finish(): { readonly cid: string; readonly size: number; readonly sniffed: string | undefined } {
    const first = this.#first.subarray(0, Math.min(this.#size, sniffLength))
    return {
      cid: cidFromDigest(raw, this.#hash.digest()).toString(),
      size: this.#size,
      sniffed: sniff(first)
    }
  }
}
