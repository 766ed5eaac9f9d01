import * as Result from "effect/Result"
import { isSupportedDid, parseDidReference } from "../../core/identity/did.ts"
import { isReport } from "../../core/sessions/methods.ts"
import type { ServiceAddress, Settings } from "../../services/host/Config.ts"

/** A service's name: a DID and the fragment of an entry in its document. */
export type ServiceName = Pick<ServiceAddress, "did" | "service">

/** A service's name in permissions and headers: `did:web:api.bsky.app#bsky_appview`. */
export const nameOf = ({ did, service }: ServiceName): string => `${did}#${service}`

/** Methods of `com.atproto.` that AppViews and labelers implement, and this server doesn't. */
const answeredElsewhere: ReadonlySet<string> = new Set([
  "com.atproto.label.querylabels",
  "com.atproto.temp.fetchlabels"
])

/**
 * Whether a method may be proxied at all, even to a service that the caller names.
 *
 * The rest of `com.atproto.` concerns this server's accounts: the bodies contain passwords, codes
 * and private records.
 */
export const isProxied = (nsid: string): boolean => {
  const lower = nsid.toLowerCase()
  return !lower.startsWith("com.atproto.") || isReport(lower) || answeredElsewhere.has(lower)
}

/** The default service of a method. */
export const defaultService = (nsid: string, config: Settings): ServiceAddress | undefined => {
  const lower = nsid.toLowerCase()
  if (lower.startsWith("chat.bsky.")) return config.chatService
  if (lower.startsWith("tools.ozone.")) return config.modService
  if (isReport(lower)) return config.reportService
  return config.appView
}

/** Methods of the network's own services, which need credentials. */
const isOfNetwork = (nsid: string): boolean =>
  /^(app\.bsky|chat\.bsky|tools\.ozone|com\.atproto)\./i.test(nsid)

/**
 * Whether a call without credentials would be proxied with them; if not, no service has the method.
 */
export const needsCaller = (nsid: string, header: string | null, config: Settings): boolean =>
  header !== null || (isOfNetwork(nsid) && defaultService(nsid, config) !== undefined)

/** The service in an `atproto-proxy` header, or why it is invalid. */
export const readProxyHeader = (header: string): Result.Result<ServiceName, string> => {
  if (header.includes(" ")) return Result.fail("proxy header cannot contain spaces")
  if (header.startsWith("#")) return Result.fail("no did specified in proxy header")
  const [did = "", service = "", more] = header.split("#")
  if (service === "") return Result.fail("no service id specified in proxy header")
  if (more !== undefined || parseDidReference(header) === undefined || !isSupportedDid(did)) {
    return Result.fail("invalid proxy header format")
  }
  return Result.succeed({ did, service })
}

/** Whether a call is for this server, i.e. names no other service. */
export const isForThisServer = (
  header: string | null,
  { serviceDid }: Pick<Settings, "serviceDid">
): boolean => header === null || header.split("#", 1)[0] === serviceDid

const preferences: ReadonlySet<string> = new Set([
  "app.bsky.actor.getPreferences",
  "app.bsky.actor.putPreferences"
])

/**
 * Whether one of our methods goes to another service this time: another AppView has preferences of
 * its own.
 *
 * Never another PDS: if it trusts the account as a moderator, it would show everybody's preferences
 * to the account's apps.
 */
export const isElsewhere = (
  nsid: string,
  header: string | null,
  { appView }: Pick<Settings, "appView">
): boolean =>
  preferences.has(nsid) &&
  header !== null &&
  !header.endsWith("#atproto_pds") &&
  (appView === undefined || header !== nameOf(appView))
