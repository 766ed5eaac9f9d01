import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { calledName } from "../core/identity/calledName.ts"
import { parseVars } from "../../scripts/env.ts"
import { nacre, startCommand } from "../../scripts/project.ts"
import { Failed } from "./failure.ts"
import { AccountFlag, ServerFlag, variable } from "./flags.ts"
import { chosenProfile, currentProfile, isOwner, profilesAt } from "./login/profiles.ts"

const ServerNote = Schema.fromJsonString(
  Schema.Struct({ publicUrl: Schema.String, plcPort: Schema.optionalKey(Schema.Int) })
)

const FirstAccount = Schema.fromJsonString(
  Schema.Struct({
    url: Schema.String,
    handle: Schema.String,
    did: Schema.String,
    password: Schema.String,
    adminPassword: Schema.String
  })
)

/** The notes of `npm start` about this folder's server. */
export interface LocalServer {
  readonly url: string
  readonly plcUrl?: string
  readonly account?: typeof FirstAccount.Type
}

const readAs = Effect.fnUntraced(function* <S extends Schema.ConstraintDecoder<unknown>>(
  file: string,
  schema: S
) {
  const files = yield* FileSystem.FileSystem
  return yield* files.readFileString(file).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(schema)),
    Effect.orElseSucceed(() => undefined)
  )
})

/** This folder's local server, if `npm start` has created one. */
export const localServer = Effect.gen(function* () {
  const path = yield* Path.Path
  const folder = (yield* variable("DATA_DIR")) ?? ".data"
  const noted = yield* readAs(path.join(folder, "server.json"), ServerNote)
  const account = yield* readAs(path.join(folder, "account.json"), FirstAccount)
  const url = noted?.publicUrl ?? account?.url
  if (url === undefined) return undefined
  return {
    url,
    ...(noted?.plcPort === undefined ? {} : { plcUrl: `http://127.0.0.1:${noted.plcPort}` }),
    ...(account === undefined ? {} : { account })
  } satisfies LocalServer
})

/**
 * The administrator's password in this project's copy of a deployed server's secrets; undefined if
 * the copy is another server's.
 */
export const copiedAdminPassword = Effect.fnUntraced(function* (server: string) {
  const files = yield* FileSystem.FileSystem
  const names = yield* Effect.orElseSucceed(files.readDirectory("."), () => [])
  for (const name of names.filter((one) => one.startsWith(".secrets."))) {
    const text = yield* Effect.orElseSucceed(files.readFileString(name), () => "")
    const { ADMIN_PASSWORD: password = "", PUBLIC_URL: url = "" } = parseVars(text)
    if (password !== "" && originOf(url) === server) return Redacted.make(password)
  }
  return undefined
})

/**
 * The origin of a server given as an address or a host name; https unless the host is this machine.
 */
export const originOf = (text: string) => {
  const scheme = /^(localhost|127\.0\.0\.1)(:|$)/.test(text) ? "http" : "https"
  return URL.parse(/^https?:\/\//.test(text) ? text : `${scheme}://${text}`)?.origin
}

/** Whether an origin is on this machine. */
export const isLocal = (origin: string): boolean =>
  ["localhost", "127.0.0.1", "[::1]"].includes(new URL(origin).hostname)

/** The same; fails if there is none. */
export const checkedOrigin = Effect.fnUntraced(function* (given: string) {
  const origin = originOf(given)
  if (origin !== undefined) return origin
  return yield* new Failed({
    message: `${given} isn't a server address`,
    next: "Write it like https://pds.example.com"
  })
})

/**
 * The server from the flag, a variable, this folder's local server, or the profile in use;
 * undefined if there is none.
 */
export const knownServer = Effect.gen(function* () {
  const flag = Option.getOrUndefined(yield* ServerFlag)
  if (flag !== undefined) return yield* checkedOrigin(flag)
  const chosen = yield* chosenProfile
  if (chosen !== undefined) return chosen.server
  const given = yield* variable("NACRE_SERVER")
  if (given !== undefined) return yield* checkedOrigin(given)
  return (yield* localServer)?.url ?? (yield* currentProfile)?.server
})

/** The origin of the server that the command is for. */
export const theServer = Effect.gen(function* () {
  const known = yield* knownServer
  if (known !== undefined) return known
  return yield* new Failed({
    message: "No server chosen",
    next: `Sign in with ${nacre} login, add --server https://pds.example.com, set NACRE_SERVER, or start a local server: ${startCommand}`
  })
})

/** The local server's notes, if the command is for that server. */
const localIfMeant = Effect.gen(function* () {
  const server = yield* theServer
  const local = yield* localServer
  return local?.url === server ? local : undefined
})

/** The given account, else the local server's first, else the signed-in one. */
export const namedAccount = Effect.gen(function* () {
  const flag = Option.getOrUndefined(yield* AccountFlag)
  if (flag !== undefined) return calledName(flag)
  const chosen = yield* chosenProfile
  const isMeant = chosen !== undefined && isOwner(chosen) && chosen.server === (yield* theServer)
  if (isMeant) return chosen.handle
  const given = yield* variable("NACRE_ACCOUNT")
  if (given !== undefined) return calledName(given)
  const first = (yield* localIfMeant)?.account?.handle
  if (first !== undefined) return first
  const server = yield* Effect.orElseSucceed(theServer, () => undefined)
  return server === undefined ? undefined : (yield* profilesAt(server)).find(isOwner)?.handle
})

/** The account that the command is for. */
export const theAccount = Effect.gen(function* () {
  const name = yield* namedAccount
  if (name !== undefined) return name
  return yield* new Failed({
    message: "No account chosen",
    next: "Add --account alice.example.com"
  })
})

/** The PLC directory: PLC_URL, that of the local server, or the public one. */
export const plcUrl = Effect.gen(function* () {
  const given = (yield* variable("PLC_URL")) ?? (yield* localIfMeant)?.plcUrl
  if (given !== undefined) return given.replace(/\/+$/, "")
  // The public directory doesn't contain a local server's DIDs.
  if (!isLocal(yield* theServer)) return "https://plc.directory"
  return yield* new Failed({
    message: "The PLC directory of the local server is unknown",
    next: `Set PLC_URL to the address that ${startCommand} prints.`
  })
})
