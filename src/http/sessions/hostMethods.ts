import type {
  ComAtprotoServerCreateAccount as CreateAccount,
  ComAtprotoServerCreateSession as CreateSession
} from "@atproto/api"
import * as Effect from "effect/Effect"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config } from "../../services/host/Config.ts"
import { SignUp } from "../../services/accounts/SignUp.ts"
import { givePointBack, takePoint } from "../limits/clientLimits.ts"
import { noteAccount } from "../requestLog.ts"
import { jsonType, reopened, withHeaders } from "../responseHeaders.ts"
import { accountBehind, decoyDid, signInKey, signInLimits, signUpLimits } from "./signInGate.ts"
import { briefly, versioned } from "../versioned.ts"
import { type Call, method } from "../Xrpc.ts"

const describeServer = method(
  "com.atproto.server.describeServer",
  { authority: { kind: "none" } },
  Effect.fnUntraced(function* ({ request }: Call) {
    const config = yield* Config
    const { privacyPolicyUrl, termsOfServiceUrl, contactEmail } = config
    const description = {
      did: config.serviceDid,
      availableUserDomains: config.handleDomains.map((domain) => `.${domain}`),
      inviteCodeRequired: config.inviteRequired,
      blobUploadLimit: config.blobLimit,
      links: { privacyPolicy: privacyPolicyUrl, termsOfService: termsOfServiceUrl },
      contact: { email: contactEmail }
    }
    return versioned(request, JSON.stringify(description), {
      "content-type": jsonType,
      "cache-control": briefly
    })
  })
)

const createAccount = method(
  "com.atproto.server.createAccount",
  { authority: { kind: "signup" }, typedNames: ["handle"] },
  Effect.fnUntraced(function* ({
    input,
    caller,
    request
  }: Call<object, CreateAccount.InputSchema>) {
    yield* takePoint(request, "createAccount", signUpLimits)
    const signUp = yield* SignUp
    const signedUp = yield* signUp.create({ ...input, caller })
    noteAccount(request, signedUp.did)
    return signedUp
  })
)

/** The request again with its body, which the check has read: decoded, and its known fields only. */
const rebuild = (request: Request, input: CreateSession.InputSchema): Request => {
  const headers = new Headers(request.headers)
  for (const name of ["content-length", "content-encoding", "transfer-encoding"]) {
    headers.delete(name)
  }
  const { identifier, password, authFactorToken, allowTakendown } = input
  return new Request(request.url, {
    method: "POST",
    headers,
    body: JSON.stringify({ identifier, password, authFactorToken, allowTakendown })
  })
}

const createSession = method(
  "com.atproto.server.createSession",
  { authority: { kind: "none" } },
  Effect.fnUntraced(function* ({ input, request }: Call<object, CreateSession.InputSchema>) {
    const { identifier } = input
    const entry = yield* accountBehind(identifier)
    const key = signInKey(identifier, entry?.did)
    const headers = yield* takePoint(request, key, signInLimits)
    if (entry !== undefined) noteAccount(request, entry.did)
    const accounts = yield* Accounts
    const did = entry?.did ?? decoyDid(identifier)
    const answer = yield* accounts.forward(did, rebuild(request, input))
    // Who knows the password is not guessing it: only failures count.
    if (answer.ok) yield* givePointBack(request, key, signInLimits)
    return withHeaders(reopened(answer), headers)
  })
)

/** What the server is, and the two doors in. */
export const serverMethods = [describeServer, createAccount, createSession]
