import type { RateLimit } from "./Limiter.ts"

/**
 * What a rule counts.
 *
 * `isolate`: the requests of a client's address, in the isolate's memory. `address`: the same,
 * exactly. `guess`: failed attempts at one account from one address. `account`: an account's
 * actions, wherever its owner calls from.
 */
export type Counted = "isolate" | "address" | "guess" | "account"

/** A rate limit: what it counts, its key, and the points and lengths of its windows. */
export interface LimitRule {
  readonly per: Counted
  readonly key: string
  readonly windows: ReadonlyArray<RateLimit>
}

const fiveMinutes = 300
const anHour = 3600
const aDay = 86_400

const rule = <P extends Counted>(
  per: P,
  key: string,
  ...windows: ReadonlyArray<readonly [limit: number, windowSeconds: number]>
) => ({
  per,
  key,
  windows: windows.map(([limit, windowSeconds]): RateLimit => ({ limit, windowSeconds }))
})

/**
 * Every rate limit. A method or route declares those that it counts towards.
 *
 * The keys are stored: a changed key starts to count from zero.
 */
export const rules = {
  /** Every request, unless its method has its own limit. */
  general: rule("isolate", "general", [3000, fiveMinutes]),
  /** Instead of `general`. */
  getRepo: rule("isolate", "getRepo", [6000, fiveMinutes]),
  /** In addition to `general`. */
  uploadBlob: rule("isolate", "uploadBlob", [1000, aDay]),
  /** Over XRPC and on the pages together. */
  signIn: rule("guess", "createSession", [30, fiveMinutes], [300, aDay]),
  /** Wrong passwords on every route. */
  administrator: rule("address", "administrator", [30, fiveMinutes], [300, aDay]),
  signUp: rule("address", "createAccount", [100, fiveMinutes]),
  /** Each opened link reveals whether an invite is valid. */
  lookAtInvite: rule("address", "invite", [100, fiveMinutes]),
  passkey: rule("address", "passkey", [100, fiveMinutes]),
  openPasskeyLink: rule("address", "passkey link", [50, fiveMinutes]),
  /** Browsers without our cookie. */
  newDevice: rule("address", "new device", [200, fiveMinutes]),
  requestPasswordReset: rule("address", "requestPasswordReset", [15, anHour], [50, aDay]),
  resetPassword: rule("address", "resetPassword", [50, fiveMinutes]),
  deleteAccount: rule("address", "deleteAccount", [50, fiveMinutes]),
  reserveSigningKey: rule("address", "reserveSigningKey", [20, fiveMinutes], [100, aDay]),
  refreshIdentity: rule("address", "refreshIdentity", [100, fiveMinutes]),
  /** A sign-up page checks while its user types. */
  handleAvailability: rule("address", "checkHandleAvailability", [300, fiveMinutes]),
  /**
   * Pushing costs a request to a server that the client names, so this is the tightest of the
   * three.
   */
  oauthPar: rule("address", "oauth par", [100, fiveMinutes]),
  /** A browser without a nonce asks twice. */
  oauthToken: rule("address", "oauth token", [300, fiveMinutes]),
  oauthRevoke: rule("address", "oauth revoke", [100, fiveMinutes]),
  /** For each purpose. */
  mailedCode: rule("account", "code", [5, anHour], [15, aDay]),
  /** Codes at sign-in, instead of `mailedCode`. */
  signInCode: rule("account", "sign-in code", [10, anHour], [40, aDay]),
  makePasskeyLink: rule("account", "passkey link", [10, anHour], [30, aDay]),
  updateHandle: rule("account", "updateHandle", [10, fiveMinutes], [50, aDay]),
  /** Each response reveals whether an account has the address. */
  updateEmail: rule("account", "updateEmail", [10, fiveMinutes], [50, aDay]),
  /** Each import rewrites the whole repo. */
  importRepo: rule("account", "importRepo", [20, anHour], [60, aDay])
}
