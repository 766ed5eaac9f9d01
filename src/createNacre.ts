import { endLoading } from "./layers/host/loading.ts"
import { makeNacre } from "./makeNacre.ts"
import type { Nacre, NacreOptions } from "./options.ts"

endLoading()

/**
 * Creates a server with your own settings, methods and pages, for a Worker to export.
 *
 * The Worker exports the three classes under their own names, and lists them under `exports` in its
 * `wrangler.jsonc`. Throws if an option is invalid, before any request is served.
 *
 * @example
 * const nacre = createNacre({ fallback: (request) => new Response("my site") })
 * export class Account extends nacre.Account {}
 * export class Sequencer extends nacre.Sequencer {}
 * export class Limiter extends nacre.Limiter {}
 * export default { fetch: nacre.fetch, scheduled: nacre.scheduled }
 */
export const createNacre = <Env extends object = Record<string, unknown>>(
  options: NacreOptions<Env> = {}
): Nacre<Env> => makeNacre(options)
