import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { CallFailed, Failed } from "./failure.ts"
import { variable } from "./flags.ts"
import { wholeHandle } from "./handles.ts"
import { isOwner, ownerProfile, profileWriter, readProfile } from "./login/profiles.ts"
import { isStale, resumed } from "./login/stored.ts"
import { renewing, Tokens } from "./login/tokens.ts"
import { note } from "./output.ts"
import { localServer } from "./place.ts"
import { ask, askSecret, canAsk } from "./prompts.ts"
import { type Calling, procedure, type Remote } from "./xrpc.ts"

/** A session on a server; renews its token while in use, and ends with the scope. */
export interface Session extends Remote {
  readonly did: string
  readonly handle: string
  readonly email: string | undefined
  readonly authorization: Calling<string>
}

/** A secret from an environment variable, or from the file that `<name>_FILE` names. */
export const secretVariable = Effect.fnUntraced(function* (name: string) {
  const value = yield* variable(name)
  if (value !== undefined) return Redacted.make(value)
  const file = yield* variable(`${name}_FILE`)
  if (file === undefined) return undefined
  const files = yield* FileSystem.FileSystem
  return yield* files.readFileString(file).pipe(
    Effect.map((text) => Redacted.make(text.replace(/\r?\n$/, ""))),
    Effect.mapError(
      () =>
        new Failed({
          message: `Couldn't read ${file} (from ${name}_FILE)`,
          next: `Name a file that contains only the secret, or set ${name}.`
        })
    )
  )
})

/** The account's password from the environment or the local server's file, without a prompt. */
const knownPassword = Effect.fnUntraced(function* (server: string, account: string) {
  const given = yield* secretVariable("NACRE_PASSWORD")
  if (given !== undefined) return given
  const local = yield* localServer
  const first = local?.url === server ? local.account : undefined
  return first !== undefined && (first.handle === account || first.did === account)
    ? Redacted.make(first.password)
    : undefined
})

const needsCode = (error: unknown): boolean =>
  error instanceof CallFailed && error.error === "AuthFactorTokenRequired"

/** Whether a server rejects a code; the password was then right. */
const isWrongCode = (error: unknown): boolean =>
  error instanceof CallFailed && error.status < 500 && /token|code/i.test(error.message)

/** How often the command asks for a code again after a rejected one. */
const codeTries = 3

interface Credentials {
  readonly password: Redacted.Redacted
  /** The variable for a second factor's code. */
  readonly codeVariable?: string
}

/** Opens a session with a password, and a second factor if the server asks for one. */
const createSession = Effect.fnUntraced(function* (
  server: string,
  identifier: string,
  { password, codeVariable = "NACRE_CODE" }: Credentials
) {
  const input = { identifier, password: Redacted.value(password), allowTakendown: true }
  const create = (more: object = {}) =>
    procedure({ server }, "com.atproto.server.createSession", Tokens, { ...input, ...more })
  const askForCode = Effect.gen(function* () {
    for (let left = codeTries; ; left--) {
      const authFactorToken = yield* ask({
        message: `Code for ${identifier} on ${server} (from your authenticator app or email, or a recovery code)`,
        otherwise: `${codeVariable}=…`
      })
      const answer = yield* Effect.result(create({ authFactorToken }))
      if (Result.isSuccess(answer)) return answer.success
      if (left === 1 || !isWrongCode(answer.failure)) return yield* answer.failure
      yield* note(`${answer.failure.message}. Each code works once: enter a new one.`)
    }
  })
  // Another request would make the server mail a new code, which replaces this one.
  const code = yield* variable(codeVariable)
  const refused = (error: unknown) => needsCode(error) || (code !== undefined && isWrongCode(error))
  return yield* create(code === undefined ? {} : { authFactorToken: code }).pipe(
    Effect.catchIf(refused, (error) =>
      Effect.gen(function* () {
        if (yield* canAsk) return yield* askForCode
        if (code === undefined) return yield* error
        return yield* new Failed({
          message: `${server} rejected the code in ${codeVariable}: ${error.message}`,
          next: "Each code works once and expires soon. Run the command again with a new one."
        })
      })
    )
  )
})

/** Signs in with a password, and a second factor if the server asks for one; signs out at the end of the scope. */
export const signIn = Effect.fn("cli.signIn")(function* (
  server: string,
  identifier: string,
  password: Redacted.Redacted,
  /** The variable for a second factor's code. */
  codeVariable = "NACRE_CODE"
) {
  const first = yield* createSession(server, identifier, { password, codeVariable })
  const tokens = yield* renewing(server, first)
  yield* Effect.addFinalizer(() => tokens.end)
  const { did, handle, email } = first
  return { server, did, handle, email, ...tokens } satisfies Session
})

/** The profile of an account, unless NACRE_PASSWORD is set. */
const profileOf = Effect.fnUntraced(function* (server: string, account: string) {
  const isGiven = (yield* secretVariable("NACRE_PASSWORD")) !== undefined
  return isGiven ? undefined : yield* ownerProfile(server, account)
})

/** Whether the command can sign in as an account's owner without a prompt. */
export const canSignIn = Effect.fnUntraced(function* (server: string, account: string) {
  if ((yield* profileOf(server, account)) !== undefined) return true
  return (yield* knownPassword(server, account)) !== undefined
})

/** The owner's stored session, or a new one with a known password; no prompts. */
export const knownSession = Effect.fnUntraced(function* (server: string, account: string) {
  const profile = yield* profileOf(server, account)
  const stored = profile === undefined ? undefined : yield* resumed(profile)
  if (stored !== undefined) return stored
  const password = yield* knownPassword(server, account)
  return password === undefined ? undefined : yield* signIn(server, account, password)
})

/** How often the command asks for a password again after a wrong one. */
const passwordTries = 3

const isWrongPassword = (error: unknown): boolean =>
  error instanceof CallFailed && error.error === "AuthenticationRequired"

/**
 * Runs an effect with an account's password: the known one, or one from a prompt, which is repeated
 * after a wrong one.
 */
export const withPassword = Effect.fnUntraced(function* <A, E, R>(
  server: string,
  account: string,
  open: (password: Redacted.Redacted) => Effect.Effect<A, E, R>
) {
  const known = yield* knownPassword(server, account)
  if (known !== undefined) return yield* open(known)
  for (let left = passwordTries; ; left--) {
    const password = yield* askSecret({
      message: `Password of ${account} on ${server}`,
      otherwise: "NACRE_PASSWORD=… or NACRE_PASSWORD_FILE=<file>"
    })
    const answer = yield* Effect.result(open(password))
    if (Result.isSuccess(answer)) return answer.success
    if (left === 1 || !isWrongPassword(answer.failure)) return yield* Effect.fail(answer.failure)
    yield* note("Wrong handle or password. App passwords don't work here. Try again.")
  }
})

/** Signs in for a profile, and stores the session. */
export const signInto = Effect.fnUntraced(function* (
  /** Without a name, the handle is the profile's name. */
  profile: {
    readonly name: string | undefined
    readonly server: string
    readonly operator?: boolean
  },
  account: string,
  password: Redacted.Redacted
) {
  const { server } = profile
  const opened = yield* createSession(server, account, { password })
  const { did, handle, accessJwt, refreshJwt } = opened
  const name = profile.name ?? handle
  const write = yield* profileWriter(name)
  const before = yield* readProfile(name)
  if (before !== undefined && isOwner(before)) yield* (yield* renewing(before.server, before)).end
  const signedInAt = yield* Clock.currentTimeMillis
  const stored = {
    server,
    did,
    handle,
    accessJwt,
    refreshJwt,
    ...(profile.operator === true ? { operator: true } : {}),
    signedInAt
  }
  yield* write(stored)
  return { ...stored, name }
})

/** Signs in as the owner of an account; asks for the password if no session is stored and the password is unknown. */
export const signInAs = Effect.fnUntraced(function* (
  server: string,
  given: string,
  /** Whether the server requires a recent sign-in. */
  { isRecent = false }: { readonly isRecent?: boolean } = {}
) {
  const account = yield* wholeHandle(server, given)
  const profile = yield* profileOf(server, account)
  if (profile === undefined) {
    return yield* withPassword(server, account, (password) => signIn(server, account, password))
  }
  const isOld = isRecent && (yield* isStale(profile))
  const stored = isOld ? undefined : yield* resumed(profile)
  if (stored !== undefined) return stored
  yield* note(
    isOld
      ? "This needs a sign-in of the last 15 minutes."
      : `Your session as ${profile.handle} on ${server} has ended.`
  )
  const renewed = yield* withPassword(server, account, (password) =>
    signInto(profile, account, password)
  )
  const session = yield* resumed(renewed)
  if (session !== undefined) return session
  return yield* new Failed({ message: `${server} ended the new session at once` })
})
