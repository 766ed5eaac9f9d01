import * as Effect from "effect/Effect"
import { knownAdministrator } from "../administrator.ts"
import { wholeHandle } from "../handles.ts"
import { theServer } from "../place.ts"
import { canSignIn, signInAs } from "../session.ts"
import { meant } from "./people.ts"

/**
 * Who manages an account's credentials: the owner if the account's password is known or `--owner`
 * is set; else the administrator if that password is known; else the owner, who is asked.
 */
export const ownerOrAdministrator = Effect.fnUntraced(function* (
  argument: Parameters<typeof meant>[0],
  owner: boolean
) {
  const server = yield* theServer
  const account = yield* wholeHandle(server, yield* meant(argument))
  const isOwner = owner || (yield* canSignIn(server, account))
  const admin = isOwner ? undefined : yield* knownAdministrator(server)
  return { account, remote: admin ?? (yield* signInAs(server, account, { isRecent: true })) }
})
