/** As much of `node:crypto` as `nacre/repo` uses, for runtimes that have none. */
import { hmac } from "@noble/hashes/hmac"
import { sha256 } from "@noble/hashes/sha2"

export const createHash = () => sha256.create()

export const createHmac = (_algorithm: string, key: Uint8Array) => hmac.create(sha256, key)
