import { createHash } from "node:crypto"
import { cidFromDigest, raw } from "../repo/cid.ts"
import { sniff, sniffLength } from "./sniff.ts"

/** Learns what there is to learn of a blob while its bytes pass: size, CID, type. Keeps just the first few bytes. */
export class BlobMeter {
  readonly #hash = createHash("sha256")
  readonly #first = new Uint8Array(sniffLength)
  #size = 0

  /** The bytes seen so far. */
  get size(): number {
    return this.#size
  }

  /** Takes the next bytes; does not keep them. */
  update(chunk: Uint8Array): void {
    if (this.#size < sniffLength) {
      this.#first.set(chunk.subarray(0, sniffLength - this.#size), this.#size)
    }
    this.#hash.update(chunk)
    this.#size += chunk.byteLength
  }

  /** The result, once, after the last byte. */
  finish(): { readonly cid: string; readonly size: number; readonly sniffed: string | undefined } {
    const first = this.#first.subarray(0, Math.min(this.#size, sniffLength))
    return {
      cid: cidFromDigest(raw, this.#hash.digest()).toString(),
      size: this.#size,
      sniffed: sniff(first)
    }
  }
}
