import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Accounts } from "../../../services/accounts/Accounts.ts"
import type { MoveInNotes, MoveTokens } from "../../../services/accounts/moveInNotes.ts"
import { Config } from "../../../services/host/Config.ts"
import { Outgoing } from "../../../services/host/Outgoing.ts"

/** A step of a move that didn't work, by what its owner can do about it. */
export class MoveInFailed extends Schema.TaggedError<MoveInFailed>()("MoveInFailed", {
  /**
   * `unreachable`: retry. `signed out`: sign in to the old server again. `refused`: a server says
   * no. `odd`: the old server's answer makes no sense. `changed`: it has newer records. `slow`: it doesn't
   * send one of the blobs.
   */
  why: Schema.Literals(["unreachable", "signed out", "refused", "odd", "changed", "slow"]),
  nsid: Schema.optional(Schema.String),
  /** The protocol's name of the error. */
  error: Schema.optional(Schema.String),
  message: Schema.optional(Schema.String)
}) {}

/** The parts of a call. */
export interface RemoteCall {
  readonly params?: Readonly<Record<string, string>>
  readonly input?: unknown
  readonly method?: "GET" | "POST"
  readonly auth?: string | undefined
}

/** The largest answer of the old server, apart from the repo and blobs. */
const maxAnswer = 1024 * 1024

const Refusal = Schema.Struct({
  error: Schema.optional(Schema.String),
  message: Schema.optional(Schema.String)
})

const parsed = (nsid: string, status: number, body: Uint8Array) => {
  const text = new TextDecoder().decode(body)
  const json = Option.getOrUndefined(
    Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))(text)
  )
  if (status >= 200 && status < 300) return Effect.succeed(text === "" ? {} : json)
  if (status >= 500 || status === 429) return new MoveInFailed({ why: "unreachable", nsid })
  const { error, message } = Option.getOrElse(Schema.decodeUnknownOption(Refusal)(json), () => ({
    error: undefined,
    message: undefined
  }))
  return new MoveInFailed({
    why: "refused",
    nsid,
    error: error?.slice(0, 80),
    message: message?.slice(0, 300)
  })
}

const queryOf = (params: Readonly<Record<string, string>> = {}) => {
  const query = new URLSearchParams(params).toString()
  return query === "" ? "" : `?${query}`
}

const headersOf = ({ auth, input }: RemoteCall): Readonly<Record<string, string>> => ({
  ...(auth === undefined ? {} : { authorization: `Bearer ${auth}` }),
  ...(input === undefined ? {} : { "content-type": "application/json" })
})

/** Calls the old server, by the client for addresses that others chose. */
export const callThere = Effect.fnUntraced(function* (
  from: string,
  nsid: string,
  call: RemoteCall = {}
) {
  const { input, params, method = input === undefined ? "GET" : "POST" } = call
  const outgoing = yield* Outgoing
  const request = outgoing.request(`${from}/xrpc/${nsid}${queryOf(params)}`, {
    method,
    accept: "application/json",
    headers: headersOf(call),
    ...(input === undefined ? {} : { body: JSON.stringify(input) }),
    maxBytes: maxAnswer,
    timeout: "15 seconds",
    allowStatus: "any"
  })
  const { status, body } = yield* Effect.mapError(
    request,
    () => new MoveInFailed({ why: "unreachable", nsid })
  )
  return yield* parsed(nsid, status, body)
})

/** Calls the account's own object here, with its session. */
export const callHere = Effect.fnUntraced(function* (
  did: string,
  nsid: string,
  call: RemoteCall = {}
) {
  const { input, params, method = input === undefined ? "GET" : "POST" } = call
  const accounts = yield* Accounts
  const { publicUrl } = yield* Config
  const request = new Request(`${publicUrl}/xrpc/${nsid}${queryOf(params)}`, {
    method,
    headers: headersOf(call),
    ...(input === undefined ? {} : { body: JSON.stringify(input) })
  })
  const answer = yield* accounts.forward(did, request)
  const body = yield* Effect.promise(() => answer.arrayBuffer())
  return yield* parsed(nsid, answer.status, new Uint8Array(body))
})

const Tokens = Schema.Struct({ accessJwt: Schema.String, refreshJwt: Schema.String })

/** Decodes an answer, or fails because it makes no sense. */
export const decoded = <S extends Schema.ConstraintDecoder<unknown>>(
  nsid: string,
  schema: S,
  answer: unknown
) =>
  Effect.mapError(
    Schema.decodeUnknownEffect(schema)(answer),
    () => new MoveInFailed({ why: "odd", nsid })
  )

const isOver = (failure: { readonly _tag: string }): boolean =>
  failure instanceof MoveInFailed &&
  failure.why === "refused" &&
  (failure.error === "ExpiredToken" ||
    failure.error === "InvalidToken" ||
    failure.error === "AuthMissing")

/** Runs a call with a session's token, and once more with a refreshed one. */
const renewing = <A, E extends { readonly _tag: string }, R, E2, R2>(
  tokens: MoveTokens,
  run: (auth: string) => Effect.Effect<A, E, R>,
  refresh: (auth: string) => Effect.Effect<MoveTokens, E2, R2>
) =>
  run(tokens.accessJwt).pipe(
    Effect.catchIf(isOver, () =>
      Effect.flatMap(refresh(tokens.refreshJwt), ({ accessJwt }) => run(accessJwt))
    )
  )

/** A move of an account to this server; its notes change with each step. */
export class Moving {
  notes: MoveInNotes
  readonly did: string

  constructor(did: string, notes: MoveInNotes) {
    this.did = did
    this.notes = notes
  }

  /** Stores a change of the notes. */
  keep = Effect.fnUntraced(function* (this: Moving, change: Partial<MoveInNotes>) {
    this.notes = { ...this.notes, ...change }
    yield* (yield* Accounts).call(this.did, "keepMoveIn", { notes: this.notes })
  })

  /** Forgets the session at the old server. */
  signOut = Effect.fnUntraced(function* (this: Moving) {
    const { there: _, ...rest } = this.notes
    this.notes = rest
    yield* (yield* Accounts).call(this.did, "keepMoveIn", { notes: rest })
    return yield* new MoveInFailed({ why: "signed out" })
  })
}

const refreshNsid = "com.atproto.server.refreshSession"

/** Runs something with the session at the old server. */
export const withThere = <A, E extends { readonly _tag: string }, R>(
  moving: Moving,
  run: (auth: string) => Effect.Effect<A, E, R>
) => {
  const { from, there } = moving.notes
  if (there === undefined) return Effect.fail(new MoveInFailed({ why: "signed out" }))
  return renewing(there, run, (auth) =>
    callThere(from, refreshNsid, { method: "POST", auth }).pipe(
      Effect.flatMap((answer) => decoded(refreshNsid, Tokens, answer)),
      Effect.tap((tokens) => moving.keep({ there: tokens })),
      Effect.catchIf(isOver, () => moving.signOut())
    )
  )
}

/** Runs something with the session here. */
export const withHere = <A, E extends { readonly _tag: string }, R>(
  moving: Moving,
  run: (auth: string) => Effect.Effect<A, E, R>
) =>
  renewing(moving.notes.here, run, (auth) =>
    callHere(moving.did, refreshNsid, { method: "POST", auth }).pipe(
      Effect.flatMap((answer) => decoded(refreshNsid, Tokens, answer)),
      Effect.tap((tokens) => moving.keep({ here: tokens }))
    )
  )

/** A call of the old server with its session. */
export const there = (moving: Moving, nsid: string, call: RemoteCall = {}) =>
  withThere(moving, (auth) => callThere(moving.notes.from, nsid, { ...call, auth }))

/** A call of this server with its session. */
export const here = (moving: Moving, nsid: string, call: RemoteCall = {}) =>
  withHere(moving, (auth) => callHere(moving.did, nsid, { ...call, auth }))
