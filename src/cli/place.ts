import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { calledName } from "../core/identity/calledName.ts"
import { startCommand } from "../../scripts/project.mjs"
import { Failed } from "./failure.ts"
import { AccountFlag, ServerFlag, variable } from "./flags.ts"

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

/** The notes of `npm start` about the server of this folder. */
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

/** The server that `npm start` keeps in this folder, if there is one. */
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

/** The origin that a text means: of `pds.example.com` its https, of this machine its http. */
export const originOf = (text: string) => {
  const scheme = /^(localhost|127\.0\.0\.1)(:|$)/.test(text) ? "http" : "https"
  return URL.parse(/^https?:\/\//.test(text) ? text : `${scheme}://${text}`)?.origin
}

/** Whether an origin is of this machine. */
export const isLocal = (origin: string): boolean =>
  ["localhost", "127.0.0.1", "[::1]"].includes(new URL(origin).hostname)

/** The origin of the server that the command is for. */
export const theServer = Effect.gen(function* () {
  const given = Option.getOrUndefined(yield* ServerFlag) ?? (yield* variable("NACRE_SERVER"))
  if (given !== undefined) {
    const origin = originOf(given)
    if (origin !== undefined) return origin
    return yield* new Failed({
      message: `${given} isn't a server address`,
      next: "Write it like https://pds.example.com"
    })
  }
  const local = yield* localServer
  if (local !== undefined) return local.url
  return yield* new Failed({
    message: "No server chosen",
    next: `Add --server https://pds.example.com, set NACRE_SERVER, or start a local server: ${startCommand}`
  })
})

/** The local server's notes, if the command is for that server. */
export const localIfMeant = Effect.gen(function* () {
  const server = yield* theServer
  const local = yield* localServer
  return local?.url === server ? local : undefined
})

/** The account that is named, or the first of the local server; nothing where neither is. */
export const namedAccount = Effect.gen(function* () {
  const given = Option.getOrUndefined(yield* AccountFlag) ?? (yield* variable("NACRE_ACCOUNT"))
  if (given !== undefined) return calledName(given)
  return (yield* localIfMeant)?.account?.handle
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
  // The public directory doesn't have the DIDs of a local server.
  if (!isLocal(yield* theServer)) return "https://plc.directory"
  return yield* new Failed({
    message: "The PLC directory of the local server is unknown",
    next: `Set PLC_URL to the address that ${startCommand} prints.`
  })
})
