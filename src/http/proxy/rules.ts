import { isProtected } from "../../auth/methods.ts"
import { isSupportedDid, parseDidReference } from "../../identity/did.ts"
import type { ServiceAddress, Settings } from "../../services/Config.ts"

/** A service by its name: a DID and the fragment of an entry in its document. */
export type ServiceName = Pick<ServiceAddress, "did" | "service">

/** The name of a service as permissions and headers write it: `did:web:api.bsky.app#bsky_appview`. */
export const nameOf = ({ did, service }: ServiceName): string => `${did}#${service}`

const report = "com.atproto.moderation.createreport"

/** Whether a method reports to moderators: who was taken down appeals by it. */
export const isReport = (nsid: string): boolean => nsid.toLowerCase() === report

/**
 * Methods that are answered by a server's own means or not at all, whoever is named for them.
 *
 * Their bodies hold passwords and codes, which are nobody else's to see.
 */
export const isOurs = (nsid: string): boolean =>
  isProtected(nsid) || nsid.toLowerCase().startsWith("com.atproto.server.")

/** Methods about the data that lie here: nobody else is asked for them unless the caller names a service. */
const isAboutUs = (nsid: string): boolean =>
  /^com\.atproto\.(admin|identity|repo|sync)\./i.test(nsid)

/** The service that answers a method where the caller names none. */
export const defaultService = (nsid: string, config: Settings): ServiceAddress | undefined => {
  const lower = nsid.toLowerCase()
  if (isAboutUs(lower)) return undefined
  if (lower.startsWith("chat.bsky.")) return config.chatService
  if (lower.startsWith("tools.ozone.")) return config.modService
  if (lower === report) return config.reportService
  return config.appView
}

/** Methods of the network's own services: whoever calls one without credentials has forgotten them. */
const isOfNetwork = (nsid: string): boolean =>
  /^(app\.bsky|chat\.bsky|tools\.ozone|com\.atproto)\./i.test(nsid)

/** Whether credentials would lead a call on that comes without any; if not, nobody has the method. */
export const needsCaller = (nsid: string, header: string | null, config: Settings): boolean =>
  header !== null || (isOfNetwork(nsid) && defaultService(nsid, config) !== undefined)

const refuse = (reason: string) => ({ ok: false, reason }) as const

/** The service that an `atproto-proxy` header names, or what is wrong with it. */
export const readProxyHeader = (
  header: string
):
  | { readonly ok: true; readonly name: ServiceName }
  | { readonly ok: false; readonly reason: string } => {
  if (header.includes(" ")) return refuse("proxy header cannot contain spaces")
  if (header.startsWith("#")) return refuse("no did specified in proxy header")
  const [did = "", service = "", more] = header.split("#")
  if (service === "") return refuse("no service id specified in proxy header")
  if (more !== undefined || parseDidReference(header) === undefined || !isSupportedDid(did)) {
    return refuse("invalid proxy header format")
  }
  return { ok: true, name: { did, service } }
}

const preferences: ReadonlySet<string> = new Set([
  "app.bsky.actor.getPreferences",
  "app.bsky.actor.putPreferences"
])

/** Whether a method of ours is somebody else's this time: another app view keeps preferences of its own. */
export const isElsewhere = (
  nsid: string,
  header: string | null,
  { appView }: Pick<Settings, "appView">
): boolean =>
  preferences.has(nsid) && header !== null && (appView === undefined || header !== nameOf(appView))
