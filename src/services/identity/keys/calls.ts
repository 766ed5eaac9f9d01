import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AccountStore } from "../../accounts/AccountStore.ts"
import { replaceHostKey } from "./replaceHostKey.ts"
import { rewrapRows } from "./rewrapRows.ts"
import { SecretRows } from "./SecretRows.ts"

/** How often the rows may change while they are put under the new key. */
const attempts = 5

/**
 * Puts this object's account under the current master key, and reads it back; does nothing if it
 * already is.
 */
export const rewrapKeys = Effect.fn("rewrapKeys")(function* () {
  const accounts = yield* AccountStore
  const secrets = yield* SecretRows
  let isChanged = false
  for (let attempt = 0; attempt < attempts; attempt++) {
    const { did, signingKey } = yield* accounts.get
    const before = secrets.read()
    const now = yield* Clock.currentTimeMillis
    const { tables, problems } = yield* rewrapRows(did, before, now)
    if (tables === undefined) return { isChanged, problems }
    isChanged = true
    const wrapped = tables["account"]?.[0]?.["wrapped_key"]
    // Another call may have changed the account meanwhile.
    const isSame = accounts.peek()?.signingKey === signingKey
    if (!isSame || !(wrapped instanceof Uint8Array)) continue
    secrets.replace(before, tables)
    yield* accounts.update({ signingKey: { ...signingKey, wrapped } })
  }
  return { isChanged, problems: ["its keys kept changing meanwhile"] }
})

/** The calls of an account's object about the server's keys. */
export const keyCalls = { replaceHostKey, rewrapKeys }
