import { randomBytes } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { jsonObject } from "../../core/bytes/jsonObject.ts"
import type { TicketClaims } from "../../core/sessions/ticket.ts"
import type { Factor } from "../../services/factors/SecondFactorProof.ts"
import type { OwnerView } from "../../services/sessions/ownerView.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config } from "../../services/host/Config.ts"
import { Devices } from "../../services/oauth/Devices.ts"
import type { RateLimitExceeded } from "../../services/limits/Limiter.ts"
import { OAuthRequests } from "../../services/oauth/OAuthRequests.ts"
import { PasskeyOwners } from "../../services/factors/PasskeyOwners.ts"
import { givePointBack, takePoint } from "../limits/clientLimits.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { countAttempt } from "../operators/countRequest.ts"
import { accountBehind, decoyDid, signInKey } from "../sessions/signInGate.ts"
import { seal, unseal } from "./csrf.ts"
import { common } from "./text/common.ts"
import { signIn as text } from "./text/signIn.ts"
import { rules } from "../../services/limits/rules.ts"
/** The result of a sign-in attempt. */
export type Attempt =
  | { readonly kind: "proven"; readonly owner: OwnerView }
  /** The password was right; the ticket carries that to the code step. */
  | {
      readonly kind: "code"
      readonly ticket: string
      readonly factor: Factor
      readonly message?: string
      readonly notice?: string
    }
  | { readonly kind: "refused"; readonly message: string }

const refused = (message: string): Attempt => ({ kind: "refused", message })

const minute = 60_000
/** How long a code may take after the password. A mail may take a while. */
const proofMillis = { authenticator: 5 * minute, email: 15 * minute } as const satisfies Record<
  Factor,
  number
>
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
        AccountTakenDown: (down) => Effect.succeed(refused(common.takenDown(down))),
        Denied: () => Effect.succeed(refused(text.wrong))
      })
    )
  },
  Effect.catchTag("RateLimitExceeded", exceeded),
  Effect.tap(countAttempt)
)

const afterPassword = Effect.fnUntraced(function* (device: string, owner: OwnerView) {
  const { did, passwordVersion } = owner
  const factor = factorAsked(owner)
  if (factor === undefined) return { kind: "proven", owner } satisfies Attempt as Attempt
  const claims = { did, passwordVersion, factor }
  const ticket = yield* seal("password proven", device, claims, proofMillis[factor])
  const asked: Attempt = { kind: "code", ticket, factor }
  return factor === "email" ? yield* mailed({ did, passwordVersion }, asked) : asked
})

const factorAsked = ({ secondFactor, emailFactorSince }: OwnerView): Factor | undefined => {
  if (secondFactor) return "authenticator"
  return emailFactorSince === undefined ? undefined : "email"
}

/** Mails a sign-in code and asks for it. */
const mailed = Effect.fnUntraced(function* (
  { did, passwordVersion }: { readonly did: string; readonly passwordVersion: string },
  asked: Extract<Attempt, { readonly kind: "code" }>
) {
  return yield* (yield* Accounts).call(did, "mailSignInCode", { passwordVersion }).pipe(
    Effect.as<Attempt>(asked),
    Effect.catchTags({
      PasswordChanged: () => Effect.succeed(refused(text.passwordChanged)),
      AccountTakenDown: (down) => Effect.succeed(refused(common.takenDown(down))),
      NoEmailAddress: () => Effect.succeed(refused(text.codeNotSent)),
      MailNotSent: () => Effect.succeed(refused(text.codeNotSent)),
      // The code mailed before may still be valid.
      RateLimitExceeded: ({ retryAfter, windowSeconds }) =>
        Effect.succeed<Attempt>({
          ...asked,
          message: text.tooManyCodes(retryAfter ?? windowSeconds)
        })
    })
  )
})

const proofOf = (claims: TicketClaims | undefined) => {
  const { did, passwordVersion } = claims ?? {}
  const factor: Factor = claims?.["factor"] === "email" ? "email" : "authenticator"
  return typeof did === "string" && typeof passwordVersion === "string"
    ? { did, passwordVersion, factor }
    : undefined
}

/** Continues after the password with a code, or mails another one. */
export const byCode = Effect.fn("pages.byCode")(function* (
  device: string,
  {
    ticket,
    code,
    another
  }: { readonly ticket: string; readonly code: string; readonly another: boolean }
) {
  const proof = proofOf(yield* unseal("password proven", device, ticket))
  if (proof === undefined) return refused(text.codeTooLate)
  const { did, passwordVersion, factor } = proof
  yield* noteAccount(did)
  if (another && factor === "email") {
    return yield* mailed(proof, { kind: "code", ticket, factor, notice: text.anotherCode })
  }
  const again = (message: string) =>
    Effect.succeed<Attempt>({ kind: "code", ticket, factor, message })
  const accounts = yield* Accounts
  return yield* accounts.call(did, "proveCode", { code: code.trim(), passwordVersion }).pipe(
    Effect.map((owner): Attempt => ({ kind: "proven", owner })),
    Effect.catchTags({
      PasswordChanged: () => Effect.succeed(refused(text.passwordChanged)),
      AccountTakenDown: (down) => again(common.takenDown(down)),
      RepoNotFound: () => again(common.wrongCode),
      WrongCode: () => again(factor === "email" ? text.wrongMailedCode : common.wrongCode),
      TooManyCodes: ({ retryAfterSeconds }) => again(common.tooManyAttempts(retryAfterSeconds))
    })
  )
}, Effect.tap(countAttempt))

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
  const isIn = yield* (yield* Accounts).call(did, "browserSignedIn", { passwordVersion })
  if (isIn) return { cookie, isIn }
  yield* devices.signOut(signedIn.device, did)
  return { cookie, isIn }
})

/** A challenge for the browser's passkeys. */
export interface Challenge {
  /** Options for `navigator.credentials`, bytes in base64url. */
  readonly options: Readonly<Record<string, unknown>>
  /** Returned with the result, because the server doesn't store it. */
  readonly ticket: string
}

/** The host that passkeys are bound to. */
const rpIdOf = (publicUrl: string): string => new URL(publicUrl).hostname

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
        AccountTakenDown: (down) => Effect.succeed(refused(common.takenDown(down))),
        PasskeyRefused: () => Effect.succeed(refused(text.passkeyWrong)),
        RepoNotFound: () => Effect.succeed(refused(text.passkeyWrong))
      })
    )
  },
  Effect.catchTag("RateLimitExceeded", exceeded)
)
