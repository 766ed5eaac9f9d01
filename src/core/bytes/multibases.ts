import { base16, base16upper } from "multiformats/bases/base16"
import { base32, base32upper } from "multiformats/bases/base32"
import { base58btc } from "multiformats/bases/base58"
import { base64, base64url, base64urlpad } from "multiformats/bases/base64"

/**
 * The bases in which `@atproto/crypto` reads and writes keys.
 *
 * The Worker's bundle uses this module instead of `multiformats/basics` (`alias` in wrangler.toml
 * and scripts/build.ts), which loads all bases and a second copy of the library: 5 KiB more.
 */
export const bases = {
  base16,
  base16upper,
  base32,
  base32upper,
  base58btc,
  base64,
  base64url,
  base64urlpad
}
