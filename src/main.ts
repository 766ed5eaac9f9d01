import * as accountApp from "./http/account.ts"
import { type Handler, makeHandler, makeLateHandler } from "./http/webHandler.ts"
import * as Cloudflare from "./layers/Cloudflare.ts"

/** One object per account: its repo, the index of its blobs, its sessions. */
export class Account extends Cloudflare.account({
  serve: accountApp.serveAccount,
  call: accountApp.call,
  ring: accountApp.ring
}) {}

/** One object per host: the event log and its subscribers. */
export class Sequencer extends Cloudflare.sequencerObject {}

/** Counters of the sensitive methods, sharded by address. */
export class Limiter extends Cloudflare.LimiterDurable {}

let handler: Handler | undefined

const handlerFor = (env: Cloudflare.Env): Handler =>
  Cloudflare.isWaitedFor(env)
    ? makeLateHandler(Cloudflare.host(env))
    : makeHandler(Cloudflare.host(env))

/** The Worker: its services are made from the environment at the first request. */
export default {
  fetch: (request, env) => (handler ??= handlerFor(env))(request)
} satisfies ExportedHandler<Cloudflare.Env>
