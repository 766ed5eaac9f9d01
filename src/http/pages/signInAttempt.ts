import { randomBytes } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { jsonObject } from "../../core/bytes/jsonObject.ts"
import type { TicketClaims } from "../../core/sessions/ticket.ts"
import type { OwnerView } from "../../services/sessions/ownerView.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config } from "../../services/host/Config.ts"
import { Devices } from "../../services/oauth/Devices.ts"
import type { RateLimitExceeded } from "../../services/limits/Limiter.ts"
import { OAuthRequests } from "../../services/oauth/OAuthRequests.ts"
import { PasskeyOwners } from "../../services/factors/PasskeyOwners.ts"
import { givePointBack, takePoint } from "../limits/clientLimits.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { accountBehind, decoyDid, signInKey } from "../sessions/signInGate.ts"
import { seal, unseal } from "./csrf.ts"
import { common } from "./text/common.ts"
import { signIn as text } from "./text/signIn.ts"
import { rules } from "../../services/limits/rules.ts"
/** The result of a sign-in attempt. */
export type Attempt =
  | { readonly kind: "proven"; readonly owner: OwnerView }
  /** The password was right; the ticket carries that to the code step. */
  | { readonly kind: "code"; readonly ticket: string; readonly message?: string }
  | { readonly kind: "refused"; readonly message: string }

const refused = (message: string): Attempt => ({ kind: "refused", message })

const minute = 60_000
const proofMillis = 5 * minute
const challengeMillis = 15 * minute

const tooMany = (seconds: number): Attempt => refused(common.tooManyAttempts(seconds))
/** An exceeded limit is shown on the form rather than a separate page. */
const exceeded = ({ retryAfter, windowSeconds }: RateLimitExceeded) =>
  Effect.succeed(tooMany(retryAfter ?? windowSeconds))

/**
 * Signs in with a name and the account's password; failures count together with createSession's.
 */
export const byPassword = Effect.fn("pages.byPassword")(
  function* (
    request: Request,
    device: string,
    { identifier, password }: { readonly identifier: string; readonly password: string }
  ) {
    const entry = yield* accountBehind(identifier)
    const key = signInKey(identifier, entry?.did)
    yield* takePoint(request, rules.signIn, key)
    const did = entry?.did ?? decoyDid(identifier)
    if (entry !== undefined) yield* noteAccount(did)
    const accounts = yield* Accounts
    return yield* accounts.call(did, "provePassword", { password }).pipe(
      Effect.tap(() => givePointBack(request, rules.signIn, key)),
      Effect.flatMap((owner) => afterPassword(device, owner)),
      Effect.catchTags({
        AccountTakenDown: () => Effect.succeed(refused(common.takenDown)),
        Denied: () => Effect.succeed(refused(text.wrong))
      })
    )
  },
  Effect.catchTag("RateLimitExceeded", exceeded)
)

const afterPassword = Effect.fnUntraced(function* (device: string, owner: OwnerView) {
  if (!owner.secondFactor) return { kind: "proven", owner } satisfies Attempt as Attempt
  const { did, passwordVersion } = owner
  const ticket = yield* seal("password proven", device, { did, passwordVersion }, proofMillis)
  return { kind: "code", ticket } satisfies Attempt as Attempt
})

const proofOf = (claims: TicketClaims | undefined) => {
  const { did, passwordVersion } = claims ?? {}
  return typeof did === "string" && typeof passwordVersion === "string"
    ? { did, passwordVersion }
    : undefined
}

/** Continues after the password with an authenticator or recovery code. */
export const byCode = Effect.fn("pages.byCode")(function* (
  device: string,
  { ticket, code }: { readonly ticket: string; readonly code: string }
) {
  const proof = proofOf(yield* unseal("password proven", device, ticket))
  if (proof === undefined) return refused(text.codeTooLate)
  const { did, passwordVersion } = proof
  yield* noteAccount(did)
  const again = (message: string) => Effect.succeed<Attempt>({ kind: "code", ticket, message })
  const accounts = yield* Accounts
  return yield* accounts.call(did, "proveCode", { code: code.trim(), passwordVersion }).pipe(
    Effect.map((owner): Attempt => ({ kind: "proven", owner })),
    Effect.catchTags({
      PasswordChanged: () => Effect.succeed(refused(text.passwordChanged)),
      AccountTakenDown: () => again(common.takenDown),
      RepoNotFound: () => again(common.wrongCode),
      WrongCode: () => again(common.wrongCode),
      TooManyCodes: ({ retryAfterSeconds }) => again(common.tooManyAttempts(retryAfterSeconds))
    })
  )
})

/**
 * Signs an account in on a device, with a new cookie, unless the password has changed since the
 * proof.
 *
 * A new password signs out all other devices after it takes effect. Reading the password's version
 * only after storing the device means that one of the two sees the other, so a guess of the old
 * password stays out.
 */
export const keepSignedIn = Effect.fn("pages.keepSignedIn")(function* (
  device: string,
  { did, passwordVersion }: OwnerView,
  remembered: boolean
) {
  const devices = yield* Devices
  const signedIn = yield* devices.signIn(device, { did, remembered })
  const { cookie } = signedIn
  const current = yield* (yield* Accounts).call(did, "owner")
  if (current.passwordVersion === passwordVersion) return { cookie, isIn: true }
  yield* devices.signOut(signedIn.device, did)
  return { cookie, isIn: false }
})

/** A challenge for the browser's passkeys. */
export interface Challenge {
  /** Options for `navigator.credentials`, bytes in base64url. */
  readonly options: Readonly<Record<string, unknown>>
  /** Returned with the result, because the server doesn't store it. */
  readonly ticket: string
}

/** The host that passkeys are bound to. */
export const rpIdOf = (publicUrl: string): string => new URL(publicUrl).hostname

/** A single-use challenge for a passkey. */
export const passkeyChallenge = Effect.fn("pages.passkeyChallenge")(function* (device: string) {
  const { publicUrl } = yield* Config
  const challenge = yield* Effect.sync(() => randomBytes(32).toString("base64url"))
  const ticket = yield* seal("passkey challenge", device, { challenge }, challengeMillis)
  const rpId = rpIdOf(publicUrl)
  const options = { challenge, rpId, userVerification: "required", timeout: 5 * minute }
  return { options, ticket } satisfies Challenge
})

/** Uses up a challenge and returns its ceremony. */
export const usedCeremony = Effect.fn("pages.usedCeremony")(function* (
  device: string,
  ticket: string | undefined
) {
  const challenge = (yield* unseal("passkey challenge", device, ticket))?.["challenge"]
  if (typeof challenge !== "string") return undefined
  const until = (yield* Clock.currentTimeMillis) + challengeMillis
  const requests = yield* OAuthRequests
  if (!(yield* requests.useOnce(`passkey:${challenge}`, until))) return undefined
  const { publicUrl } = yield* Config
  return { challenge, origin: publicUrl, rpId: rpIdOf(publicUrl) }
})

/** A passkey's result from the browser; undefined unless it is a JSON object. */
export const credentialOf = (text: string | undefined) =>
  jsonObject(new TextEncoder().encode(text ?? ""))

/** Signs in with a passkey, which identifies its account. */
export const byPasskey = Effect.fn("pages.byPasskey")(
  function* (
    request: Request,
    device: string,
    sent: { readonly ticket: string | undefined; readonly credential: string | undefined }
  ) {
    yield* takePoint(request, rules.passkey)
    const ceremony = yield* usedCeremony(device, sent.ticket)
    if (ceremony === undefined) return refused(text.passkeyTooLate)
    const response = credentialOf(sent.credential)
    const id = response?.["id"]
    const owners = yield* PasskeyOwners
    const did = typeof id === "string" ? yield* owners.ownerOf(id) : undefined
    if (response === undefined || did === undefined) {
      return refused(text.passkeyUnknown)
    }
    yield* noteAccount(did)
    const accounts = yield* Accounts
    return yield* accounts.call(did, "provePasskey", { ...ceremony, response }).pipe(
      Effect.map((owner): Attempt => ({ kind: "proven", owner })),
      Effect.catchTags({
        AccountTakenDown: () => Effect.succeed(refused(common.takenDown)),
        PasskeyRefused: () => Effect.succeed(refused(text.passkeyWrong)),
        RepoNotFound: () => Effect.succeed(refused(text.passkeyWrong))
      })
    )
  },
  Effect.catchTag("RateLimitExceeded", exceeded)
)
