import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import { Did } from "../answers.ts"
import { administrator } from "../administrator.ts"
import { wholeHandle } from "../handles.ts"
import { report } from "../output.ts"
import { insist } from "../prompts.ts"
import { procedure } from "../xrpc.ts"
import { accountArgument, meant, yesFlag } from "./people.ts"

const Done = Schema.Struct({ did: Did, mailed: Schema.Boolean })

/** `nacre account reset-factor` */
export const resetFactor = Command.make(
  "reset-factor",
  { account: accountArgument, yes: yesFlag },
  Effect.fnUntraced(function* ({ account, yes }) {
    const name = yield* meant(account)
    const admin = yield* administrator
    const handle = yield* wholeHandle(admin.server, name)
    yield* insist(
      `Turn the authenticator of ${handle} off? The password alone signs in afterwards: make sure you know who is asking.`,
      yes
    )
    const { did, mailed } = yield* procedure(admin, "admin/factors/reset", Done, {
      account: handle
    })
    yield* report({ did, authenticator: false, mailed }, () =>
      mailed
        ? `Turned the authenticator of ${handle} off, and mailed its owner.`
        : `Turned the authenticator of ${handle} off. Its owner got no mail: tell them.`
    )
  })
).pipe(
  Command.withDescription(
    "Turn an account's authenticator off, for an owner who lost it and the recovery codes"
  )
)
