/** The part of `node:crypto` that `nacre/repo` uses, for runtimes without it. */
import { hmac } from "@noble/hashes/hmac"
import { sha256 } from "@noble/hashes/sha2"

export const createHash = () => sha256.create()

export const createHmac = (_algorithm: string, key: Uint8Array) => hmac.create(sha256, key)
