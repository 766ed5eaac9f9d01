import type {
  ComAtprotoIdentitySignPlcOperation as SignPlcOperation,
  ComAtprotoIdentitySubmitPlcOperation as SubmitPlcOperation
} from "@atproto/api"
import * as Effect from "effect/Effect"
import { AccountCodes } from "../../services/mail/AccountCodes.ts"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import type { Authority } from "../../services/sessions/Authority.ts"
import { mailCode } from "../../services/mail/MailedCodes.ts"
import {
  assertPlc,
  recommendedCredentials,
  signUpdate,
  submitOperation
} from "../../services/identity/PlcOperations.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { type Call, method } from "../Xrpc.ts"
import { owner } from "../accounts/readableAccount.ts"

const wholeIdentity = () => [{ resource: "identity", attr: "*" }] as const

/** Whoever may let the identity go: a taken-down account may leave as well. */
const leaving = {
  kind: "session",
  level: "full",
  oauth: wholeIdentity,
  takendown: true
} as const satisfies Authority

const theAccount = Effect.flatMap(AccountStore, (accounts) => accounts.get)

/** com.atproto.identity.getRecommendedDidCredentials */
export const getRecommendedDidCredentials = method(
  "com.atproto.identity.getRecommendedDidCredentials",
  { authority: { kind: "session", level: "standard", oauth: "any" } },
  () => Effect.flatMap(theAccount, recommendedCredentials)
)

/** com.atproto.identity.requestPlcOperationSignature: mails the code that signPlcOperation asks for. */
export const requestPlcOperationSignature = method(
  "com.atproto.identity.requestPlcOperationSignature",
  { authority: leaving },
  Effect.fnUntraced(function* () {
    yield* assertPlc((yield* theAccount).did)
    yield* mailCode("plc_operation")
  })
)

/** com.atproto.identity.signPlcOperation: the code is used up with the signature, not by what is refused before. */
export const signPlcOperation = method(
  "com.atproto.identity.signPlcOperation",
  { authority: leaving },
  Effect.fnUntraced(function* ({ input }: Call<object, SignPlcOperation.InputSchema>) {
    const { token, ...change } = input
    const { did } = yield* theAccount
    const codes = yield* AccountCodes
    if (token === undefined) {
      return yield* new InvalidRequest({
        message: "email confirmation token required to sign PLC operations"
      })
    }
    yield* codes.check("plc_operation", token)
    const operation = yield* signUpdate(did, change)
    yield* codes.use("plc_operation", token)
    return { operation }
  })
)

/** com.atproto.identity.submitPlcOperation */
export const submitPlcOperation = method(
  "com.atproto.identity.submitPlcOperation",
  // The reference lets app passwords do it, too.
  { authority: { ...owner, oauth: wholeIdentity } },
  ({ input }: Call<object, SubmitPlcOperation.InputSchema>) => submitOperation(input.operation)
)

/** What an owner does with the DID of the account. */
export const identityMethods = [
  getRecommendedDidCredentials,
  requestPlcOperationSignature,
  signPlcOperation,
  submitPlcOperation
]
