import * as Effect from "effect/Effect"
import { byteSize } from "../../core/blobs/byteSize.ts"
import { noter } from "../accounts/AccountHistory.ts"
import { AccountStore } from "../accounts/AccountStore.ts"
import { Config } from "../host/Config.ts"
import { BlobIndex } from "./BlobIndex.ts"

/** The most bytes of blobs that the account may store: its own quota, or else the server's; 0 for no limit. */
export const blobQuota = Effect.gen(function* () {
  const own = (yield* BlobIndex).quota()
  return own ?? (yield* Config).blobQuota
})

/** The bytes of blobs that the account stores and may store; `quota` is 0 for no limit. */
export const storage = Effect.gen(function* () {
  const index = yield* BlobIndex
  return {
    used: index.usage(),
    quota: yield* blobQuota,
    /** Whether an operator gave the account a quota of its own. */
    isOwn: index.quota() !== undefined
  }
})

const inWords = (bytes: number | undefined): string =>
  bytes === undefined ? "default" : bytes === 0 ? "no limit" : byteSize(bytes)

/** Gives the account a quota of its own in bytes (0: no limit), or the server's again (null). */
const setQuota = Effect.fn("blobs.setQuota")(function* (input: { readonly bytes: number | null }) {
  // Fails for an account that isn't here.
  yield* (yield* AccountStore).get
  const index = yield* BlobIndex
  const note = yield* noter
  const before = index.quota()
  const after = input.bytes ?? undefined
  if (before !== after) {
    index.setQuota(after, () =>
      note({ kind: "quota", before: inWords(before), after: inWords(after) })
    )
  }
  return yield* storage
})

/** The account object's calls about storage. */
export const quotaCalls = { storage: () => storage, setQuota }
