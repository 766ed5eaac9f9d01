/**
 * `nacre/astro`: a Worker with an Astro site and a PDS on one host.
 *
 * Name it as `main` in `wrangler.jsonc`; the site needs no Worker file of its own.
 */
import { handle } from "@astrojs/cloudflare/handler"
import { createNacre } from "./createNacre.ts"
import type { Nacre } from "./options.ts"

const nacre: Nacre = createNacre({ fallback: handle })

export class Account extends nacre.Account {}
export class Sequencer extends nacre.Sequencer {}
export class Limiter extends nacre.Limiter {}

const worker: Pick<Nacre, "fetch" | "scheduled"> = {
  fetch: nacre.fetch,
  scheduled: nacre.scheduled
}
export default worker
