import * as Effect from "effect/Effect"
import type { HistoryEntry } from "../../core/accounts/history.ts"
import { Background } from "../host/Background.ts"
import { Config } from "../host/Config.ts"
import { historyMail } from "../mail/historyTexts.ts"
import { Mailer } from "../mail/Mailer.ts"
import { mailContext } from "../mail/mailTexts.ts"
import { AccountHistory } from "./AccountHistory.ts"
import { AccountStore } from "./AccountStore.ts"

/** The addresses for an entry: of a changed address, the old one too. */
const addressesFor = ({ kind, before }: HistoryEntry, email: string | undefined) => {
  const addresses = [email, kind === "email" ? before : undefined]
  return new Set(addresses.flatMap((address) => (address === undefined ? [] : [address])))
}

const mailed = Effect.fnUntraced(function* (entry: HistoryEntry) {
  const account = (yield* AccountStore).peek()
  const mailer = yield* Mailer
  if (account === undefined) return
  const mail = historyMail(entry, mailContext(account, yield* Config))
  if (mail === undefined) return
  for (const to of addressesFor(entry, account.email)) {
    const sent = mailer.send({ ...mail, to, purpose: `history_${entry.kind}` })
    yield* Effect.retry(sent, { times: 1 }).pipe(
      Effect.catchCause((cause) => Effect.logWarning("an owner was not notified by mail", cause))
    )
  }
})

/**
 * Mails the owner the sign-ins and changes that the history has queued, after the response.
 *
 * Does nothing on a server that sends no mail.
 */
export const notifyOwner = Effect.gen(function* () {
  const history = yield* AccountHistory
  const unsent = history.takeUnsent()
  if (unsent.length === 0 || !(yield* Mailer).delivers) return
  const services = yield* Effect.context<AccountStore | Mailer | Config>()
  const work = Effect.forEach(unsent, mailed, { discard: true })
  yield* (yield* Background).run(Effect.provide(work, services))
})
