import { claimedHandle, withHandle } from "./alsoKnownAs.ts"
import type { PlcData } from "./plcOperation.ts"

type Keys = ReadonlyArray<string>

/** Rotation keys of Bluesky's accounts; its servers don't recommend all of them. */
const bluesky: Keys = [
  "did:key:zQ3shhCGUqDKjStzuDxPkTxN6ujddP4RkEKJJouJGRRkaLGbg",
  "did:key:zQ3shpKnbdPx3g3CmPf5cRVTPe1HtSwVn5ish3wSnDPQCbLJK",
  "did:key:zQ3shP5TBe1sQfSttXty15FAEHV1DZgcxRZNxvEWnPfLFwLxJ"
]

/** How many other accounts must be known for the keys that they share to count. */
const fewest = 3

/** The rotation keys of a DID: the old server's, which go, and the owner's, which stay. */
export interface Sorted {
  readonly own: Keys
  readonly theirs: Keys
}

/** The owner's choices about the DID's keys. */
export interface KeyWishes {
  readonly keep: Keys
  readonly drop: Keys
}

/**
 * Separates the owner's rotation keys from the old server's.
 *
 * The server's are: the last one that it recommends, since a server lists its own key last; those
 * that most of its other accounts have too; and Bluesky's. An undecidable key counts as the
 * owner's: the plan shows a superfluous key, which can be dropped, while a missing one may have
 * been the only way back.
 */
export const sortKeys = (
  {
    keys,
    named,
    others
  }: { readonly keys: Keys; readonly named: Keys; readonly others: ReadonlyArray<Keys> },
  { keep, drop }: KeyWishes
): Sorted => {
  // A server without a recommendation lists its own key last too.
  const last = (named.length === 0 ? keys : named).at(-1)
  const isShared = (key: string) =>
    others.length >= fewest && others.filter((one) => one.includes(key)).length > others.length / 2
  const isTheirs = (key: string) => key === last || bluesky.includes(key) || isShared(key)
  const own = keys.filter((key) => !drop.includes(key) && (keep.includes(key) || !isTheirs(key)))
  return { own, theirs: keys.filter((key) => !own.includes(key)) }
}

/** What a server recommends for a DID. */
export interface Recommended extends Omit<PlcData, "rotationKeys"> {
  readonly rotationKeys?: Keys
}

/**
 * The data of a DID that moves: the new server's recommendation with the owner's keys first; other
 * names and services stay.
 */
export const movedData = (
  now: PlcData,
  { rotationKeys = [], alsoKnownAs, verificationMethods, services }: Recommended,
  ownKeys: Keys
): PlcData => {
  const handle = claimedHandle(alsoKnownAs)
  // The new server recommends its own key last.
  const mine = ownKeys.filter((key) => key !== rotationKeys.at(-1))
  return {
    rotationKeys: [...new Set([...mine, ...rotationKeys])],
    alsoKnownAs:
      handle === undefined
        ? now.alsoKnownAs
        : (withHandle(now.alsoKnownAs, handle) ?? now.alsoKnownAs),
    verificationMethods: { ...now.verificationMethods, ...verificationMethods },
    services: { ...now.services, ...services }
  }
}
