import type { ProxyTargetRefused, UpstreamFailed } from "../../services/proxy/ProxyTargets.ts"
import { badRequest, upstream, type WireError } from "../wire.ts"

const targetMessages = {
  "unknown did": "could not resolve proxy did",
  "no service": "could not resolve proxy did service url",
  "not public": "the proxy did service url is not one that requests are sent to",
  "this server": "this server does not proxy to itself"
} as const satisfies Record<ProxyTargetRefused["reason"], string>

const upstreamMessages = {
  unreachable: "Upstream service unreachable",
  "too slow": "Upstream service timed out",
  refused: "Upstream service gave no usable answer"
} as const satisfies Record<UpstreamFailed["reason"], string>

/** The response for a request without a usable service. */
export const targetRefusedError = ({ reason }: ProxyTargetRefused): WireError =>
  badRequest("InvalidRequest", targetMessages[reason])

/** The response when the service sent none. */
export const upstreamFailedError = ({ reason }: UpstreamFailed): WireError =>
  upstream(upstreamMessages[reason])
