import * as Effect from "effect/Effect"
import { Accounts } from "../services/accounts/Accounts.ts"
import { Config } from "../services/host/Config.ts"
import { Identity } from "../services/identity/Identity.ts"
import type { Limiter } from "../services/limits/Limiter.ts"
import { isNsid } from "../core/lexicon/syntax.ts"
import { takePoint } from "./limits/clientLimits.ts"
import { CurrentRequest, noteAccount, nsidOf } from "./CurrentRequest.ts"
import { noteModerator } from "./operators/recordAct.ts"
import { accountOf } from "./accounts/accountOf.ts"
import { orOfAppView } from "./proxy/foreignRecord.ts"
import { proxy } from "./proxy/proxy.ts"
import { isElsewhere, isForThisServer } from "./proxy/rules.ts"
import { accountMethods, hostMethods } from "./methods.ts"
import { type Engine, type Method, serve } from "./Xrpc.ts"
import { OwnMethods, serveOwn } from "./host/ownMethods.ts"

/** The methods of an account that change its DID document. */
export const changesIdentity: ReadonlySet<string> = new Set([
  "com.atproto.identity.submitPlcOperation",
  "com.atproto.identity.updateHandle"
])

/** Forwards a method to its account's object. */
const forward = Effect.fnUntraced(function* (
  nsid: string,
  { authority }: Pick<Method, "authority">,
  request: Request,
  url: URL
) {
  const did = yield* accountOf(authority, request, url)
  yield* noteAccount(did)
  const current = yield* CurrentRequest
  current.isForwarded = true
  const answered = yield* (yield* Accounts).forward(did, request)
  // The identity that this isolate has cached is outdated.
  if (answered.ok && changesIdentity.has(nsid)) yield* (yield* Identity).forget(did)
  return answered
})

/** Answers everything under `/xrpc/`: in the Worker, in an account's object, or by another service. */
export const xrpc = Effect.fnUntraced(function* (request: Request, url: URL) {
  const nsid = nsidOf(url) ?? ""
  const config = yield* Config
  const own = yield* OwnMethods
  const added = own.methods.get(nsid)
  if (added !== undefined && isForThisServer(request.headers.get("atproto-proxy"), config)) {
    return yield* serveOwn(own, added, request, url)
  }
  const forwarded = accountMethods.get(nsid)
  // The table of methods rejects an invalid NSID.
  if (hostMethods.has(nsid) || !isNsid(nsid)) {
    const engine: Engine<CurrentRequest | Config | Limiter> = {
      jsonLimit: config.jsonLimit,
      take: takePoint,
      judged: noteModerator
    }
    return yield* serve(hostMethods, engine, request, url)
  }
  if (forwarded === undefined || isElsewhere(nsid, request.headers.get("atproto-proxy"), config)) {
    return yield* proxy(nsid, request, url)
  }
  return yield* orOfAppView(nsid, forward(nsid, forwarded, request, url), request, url)
})
