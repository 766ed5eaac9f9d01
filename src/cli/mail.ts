import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import { accountArgument, meant } from "./account/people.ts"
import { administrator } from "./administrator.ts"
import { Words } from "./answers.ts"
import { Failed } from "./failure.ts"
import { wholeHandle } from "./handles.ts"
import { report } from "./output.ts"
import { procedure } from "./xrpc.ts"

const Sent = Schema.Struct({ to: Words, sent: Schema.Boolean })

const test = Command.make(
  "test",
  { account: accountArgument },
  Effect.fnUntraced(function* ({ account }) {
    const name = yield* meant(account)
    const admin = yield* administrator
    const handle = yield* wholeHandle(admin.server, name)
    const { to, sent } = yield* procedure(admin, "admin/mail/test", Sent, { account: handle })
    if (!sent) {
      return yield* new Failed({
        message: `${admin.server} doesn't send email`,
        next: "Set MAILER: see docs/operate/mail.md"
      })
    }
    yield* report({ to, sent }, () => `Sent a test mail to ${to}.`)
  })
).pipe(Command.withDescription("Send a test mail to an account's address"))

/** `nacre mail` */
export const mail = Command.make("mail").pipe(
  Command.withDescription("Try the server's mail"),
  Command.withSubcommands([test])
)
