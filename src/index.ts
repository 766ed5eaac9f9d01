import { createNacre } from "./createNacre.ts"
import type { Nacre } from "./options.ts"

export { createNacre } from "./createNacre.ts"
export { XrpcError } from "./http/host/ownMethod.ts"
export type {
  LexiconDocument,
  MethodAccess,
  MethodCall,
  MethodCaller,
  XrpcMethod
} from "./http/host/ownMethod.ts"
export type {
  BindingName,
  ConfigVariable,
  Nacre,
  NacreConfig,
  NacreObject,
  NacreObjectClass,
  NacreOptions,
  OutgoingMail,
  SiteHandler
} from "./options.ts"

const nacre: Nacre = createNacre()

/** One object for each account: its repo, its blobs' index, its sessions. */
export class Account extends nacre.Account {}

/** One object for the whole server: the event log and its subscribers. */
export class Sequencer extends nacre.Sequencer {}

/** Counters for the exact rate limits. */
export class Limiter extends nacre.Limiter {}

/** The whole server as a Worker. */
const worker: Pick<Nacre, "fetch" | "scheduled"> = {
  fetch: nacre.fetch,
  scheduled: nacre.scheduled
}
export default worker
