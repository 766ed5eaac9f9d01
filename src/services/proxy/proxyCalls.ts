import type { Credentials } from "../accounts/AccountCalls.ts"

/** What the account's object does for the service proxy: it judges and signs, it never waits for an upstream. */
export interface ProxyCalls {
  /** May this caller have `lxm` called at `aud` in their name? Answers the service token for it. */
  authorizeProxy: {
    input: Credentials & {
      readonly lxm: string
      /** The audience that permissions are judged by: a DID with its `#service`. */
      readonly aud: string
      /** The audience that stands in the token: a bare DID, that of the service or of a feed generator. */
      readonly tokenAud: string
      /** The method that stands in the token, where it is another (getFeed → getFeedSkeleton). */
      readonly tokenLxm?: string
    }
    output: {
      readonly did: string
      readonly token: string
      /** The rev of the repo just now. */
      readonly rev: string
    }
  }
}
