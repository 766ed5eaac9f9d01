import * as Result from "effect/Result"
import { isLocalName, parse, text } from "../host/configSyntax.ts"
import { checkFetchUrl } from "../identity/address.ts"

/** An address that outgoing requests may reach; this machine's needs `DEV_ALLOW_HOSTS` as well. */
export const WebhookUrl = text((value) => {
  const url = parse(value)
  if (url === undefined) return false
  const exempt = isLocalName(url.hostname) ? [url.host] : []
  return Result.isSuccess(checkFetchUrl(url, exempt))
})
