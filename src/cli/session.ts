import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Did, Handle, Opaque, Words } from "./answers.ts"
import { CallFailed, Failed } from "./failure.ts"
import { variable } from "./flags.ts"
import { wholeHandle } from "./handles.ts"
import { note } from "./output.ts"
import { localServer, theAccount, theServer } from "./place.ts"
import { ask, askSecret, canAsk } from "./prompts.ts"
import { type Calling, procedure, type Remote } from "./xrpc.ts"

const Tokens = Schema.Struct({
  did: Did,
  handle: Handle,
  email: Schema.optionalKey(Words),
  accessJwt: Opaque,
  refreshJwt: Opaque
})

/** A session on a server; renews its token while in use, and ends with the scope. */
export interface Session extends Remote {
  readonly did: string
  readonly handle: string
  readonly email: string | undefined
  readonly authorization: Calling<string>
}

/** A secret from the environment: its variable, or the file that `<name>_FILE` names. */
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

/** The account's password from the environment or the local server's file, without a question. */
export const knownPassword = Effect.fnUntraced(function* (server: string, account: string) {
  const given = yield* secretVariable("NACRE_PASSWORD")
  if (given !== undefined) return given
  const local = yield* localServer
  const first = local?.url === server ? local.account : undefined
  return first !== undefined && (first.handle === account || first.did === account)
    ? Redacted.make(first.password)
    : undefined
})

/** When a token expires, in milliseconds; never, for an unknown form. */
const endOf = (token: string): number => {
  const payload = token.split(".")[1] ?? ""
  const claims = Schema.decodeUnknownOption(
    Schema.fromJsonString(Schema.Struct({ exp: Schema.Finite }))
  )(Buffer.from(payload, "base64url").toString("utf8"))
  return claims._tag === "Some" ? claims.value.exp * 1000 : Infinity
}

/** How long before its end a token is renewed, in milliseconds. */
const margin = 60_000

const needsCode = (error: unknown): boolean =>
  error instanceof CallFailed && error.error === "AuthFactorTokenRequired"

/** How a server says that a code will not do; the password was right then. */
const isWrongCode = (error: unknown): boolean =>
  error instanceof CallFailed && error.status < 500 && /token|code/i.test(error.message)

/** How often a code is asked for that will not do. */
const codeTries = 3

interface Credentials {
  readonly password: Redacted.Redacted
  readonly codeVariable: string
}

const createSession = Effect.fnUntraced(function* (
  server: string,
  identifier: string,
  { password, codeVariable }: Credentials
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
  // Sent at once: another request would make the server mail a new code, which replaces this one.
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
  /** The variable that answers a second factor. */
  codeVariable = "NACRE_CODE"
) {
  const first = yield* createSession(server, identifier, { password, codeVariable })
  const tokens = yield* Ref.make(first)
  const bearer = (pick: (all: typeof Tokens.Type) => string): Calling<string> =>
    Effect.map(Ref.get(tokens), (all) => `Bearer ${pick(all)}`)
  const byRefresh: Remote = { server, authorization: bearer(({ refreshJwt }) => refreshJwt) }
  yield* Effect.addFinalizer(() =>
    Effect.ignore(procedure(byRefresh, "com.atproto.server.deleteSession", Schema.Unknown))
  )
  const authorization: Calling<string> = Effect.gen(function* () {
    const { accessJwt } = yield* Ref.get(tokens)
    if (endOf(accessJwt) - (yield* Clock.currentTimeMillis) < margin) {
      yield* Ref.set(
        tokens,
        yield* procedure(byRefresh, "com.atproto.server.refreshSession", Tokens)
      )
    }
    return yield* bearer((all) => all.accessJwt)
  })
  const { did, handle, email } = first
  return { server, did, handle, email, authorization } satisfies Session
})

/** Signs in as the owner of an account; asks for the password if unknown. */
export const signInAs = Effect.fnUntraced(function* (server: string, given: string) {
  const account = yield* wholeHandle(server, given)
  const password =
    (yield* knownPassword(server, account)) ??
    (yield* askSecret({
      message: `Password of ${account} on ${server}`,
      otherwise: "NACRE_PASSWORD=… or NACRE_PASSWORD_FILE=<file>"
    }))
  return yield* signIn(server, account, password)
})

/** The owner of the account that the command is for, signed in. */
export const owner = Effect.gen(function* () {
  return yield* signInAs(yield* theServer, yield* theAccount)
})

/** The administrator's password, without a question. */
const knownAdminPassword = Effect.fnUntraced(function* (server: string) {
  const given = yield* secretVariable("NACRE_ADMIN_PASSWORD")
  // Never sent to another server: a move has two.
  if (given !== undefined && server === (yield* theServer)) return given
  const local = yield* localServer
  return local?.url === server && local.account !== undefined
    ? Redacted.make(local.account.adminPassword)
    : undefined
})

const asAdministrator = (server: string, password: Redacted.Redacted): Remote => {
  const basic = Buffer.from(`admin:${Redacted.value(password)}`).toString("base64")
  return { server, authorization: Effect.succeed(`Basic ${basic}`) }
}

/** The administrator of a server, without a question; NACRE_ADMIN_PASSWORD is for the command's own server only. */
export const knownAdministrator = Effect.fnUntraced(function* (server: string) {
  const password = yield* knownAdminPassword(server)
  return password === undefined ? undefined : asAdministrator(server, password)
})

/** The administrator of the server that the command is for. */
export const administrator = Effect.gen(function* () {
  const server = yield* theServer
  const password =
    (yield* knownAdminPassword(server)) ??
    (yield* askSecret({
      message: `Administrator password of ${server}`,
      otherwise: "NACRE_ADMIN_PASSWORD=… or NACRE_ADMIN_PASSWORD_FILE=<file>"
    }))
  return asAdministrator(server, password)
})

/** The command's server, without credentials. */
export const anybody = Effect.map(theServer, (server): Remote => ({ server }))
