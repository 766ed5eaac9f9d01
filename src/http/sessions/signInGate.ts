import * as Effect from "effect/Effect"
import { calledName } from "../../core/identity/calledName.ts"
import { sha256 } from "../../core/repo/cid.ts"
import { Directory } from "../../services/accounts/Directory.ts"
import { rules } from "../../services/limits/rules.ts"

/**
 * What failures are counted by, together with the client's address: the account, by whichever public name it was called.
 *
 * An email address is counted by itself, or what is refused would tell whose it is. There is no count by account
 * alone: whoever guesses from many addresses would shut its owner out.
 */
export const signInKey = (identifier: string, did: string | undefined): string => {
  const name = calledName(identifier)
  return `${rules.signIn.key} ${name.includes("@") ? name : (did ?? name)}`
}

/** The account behind what somebody calls themselves at sign-in: e-mail address, handle or DID. */
export const accountBehind = Effect.fnUntraced(function* (identifier: string) {
  const directory = yield* Directory
  const name = calledName(identifier)
  if (name.startsWith("did:")) return yield* directory.byDid(name)
  return yield* name.includes("@") ? directory.byEmail(name) : directory.byHandle(name)
})

/**
 * Where a sign-in of nobody goes: an object without an account, which answers a wrong password after the same work.
 *
 * The same identifier goes to the same of sixteen, as that of an account does.
 */
export const decoyDid = (identifier: string): string => {
  const [first = 0] = sha256(calledName(identifier).toLowerCase())
  return `did:web:decoy-${first % 16}.invalid`
}
