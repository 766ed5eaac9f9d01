import * as Effect from "effect/Effect"
import { calledName } from "../../core/identity/calledName.ts"
import { sha256 } from "../../core/repo/cid.ts"
import { Directory } from "../../services/accounts/Directory.ts"
import { rules } from "../../services/limits/rules.ts"

/**
 * The key under which failed sign-ins count, together with the client's address: the account, by
 * any of its public names.
 *
 * An email address counts on its own, or a rejection would reveal whose it is. There is no count by
 * account alone, because guesses from many addresses would lock the owner out.
 */
export const signInKey = (identifier: string, did: string | undefined): string => {
  const name = calledName(identifier)
  return `${rules.signIn.key} ${name.includes("@") ? name : (did ?? name)}`
}

/** The account for a login name: email address, handle or DID. */
export const accountBehind = Effect.fnUntraced(function* (identifier: string) {
  const directory = yield* Directory
  const name = calledName(identifier)
  if (name.startsWith("did:")) return yield* directory.byDid(name)
  return yield* name.includes("@") ? directory.byEmail(name) : directory.byHandle(name)
})

/**
 * The DID for a sign-in without an account: its object does the same work and reports a wrong
 * password.
 *
 * An identifier always gets the same one of sixteen, like a real account.
 */
export const decoyDid = (identifier: string): string => {
  const [first = 0] = sha256(calledName(identifier).toLowerCase())
  return `did:web:decoy-${first % 16}.invalid`
}
