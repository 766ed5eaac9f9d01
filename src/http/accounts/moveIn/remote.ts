import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Accounts } from "../../../services/accounts/Accounts.ts"
import type { MoveInNotes, OldTokens } from "../../../services/accounts/moveInNotes.ts"
import { Config } from "../../../services/host/Config.ts"
import {
  type Credential,
  callThere,
  decoded,
  headersOf,
  MoveInFailed,
  parsed,
  queryOf,
  type RemoteCall
} from "./call.ts"
import { refreshOAuth } from "./oauth.ts"

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

const isOver = (failure: { readonly _tag: string }): boolean =>
  failure instanceof MoveInFailed &&
  failure.why === "refused" &&
  (failure.error === "ExpiredToken" ||
    failure.error === "InvalidToken" ||
    failure.error === "invalid_token" ||
    failure.error === "invalid_grant" ||
    failure.error === "AuthMissing")

/** Runs a call with a credential, and once more with a renewed one. */
const renewing = <T, A, E extends { readonly _tag: string }, R, E2, R2>(
  auth: T,
  run: (auth: T) => Effect.Effect<A, E, R>,
  renewed: Effect.Effect<T, E2, R2>
) => run(auth).pipe(Effect.catchIf(isOver, () => Effect.flatMap(renewed, run)))

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

/** How a session at the old server authorizes its calls. */
export const credentialOf = ({ accessJwt, grant }: OldTokens): Credential =>
  grant === undefined ? accessJwt : { token: accessJwt, key: grant.key }

const refreshThere = (did: string, from: string, { refreshJwt, grant }: OldTokens) =>
  grant === undefined
    ? callThere(from, refreshNsid, { method: "POST", auth: refreshJwt }).pipe(
        Effect.flatMap((answer) => decoded(refreshNsid, Tokens, answer)),
        Effect.map((tokens): OldTokens => tokens)
      )
    : refreshOAuth(did, grant, refreshJwt)

/** Runs something with the session at the old server. */
export const withThere = <A, E extends { readonly _tag: string }, R>(
  moving: Moving,
  run: (auth: Credential) => Effect.Effect<A, E, R>
) => {
  const { from, there } = moving.notes
  if (there === undefined) return Effect.fail(new MoveInFailed({ why: "signed out" }))
  return renewing(
    credentialOf(there),
    run,
    refreshThere(moving.did, from, there).pipe(
      Effect.tap((tokens) => moving.keep({ there: tokens })),
      Effect.catchIf(isOver, () => moving.signOut()),
      Effect.map(credentialOf)
    )
  )
}

/** Runs something with the session here. */
export const withHere = <A, E extends { readonly _tag: string }, R>(
  moving: Moving,
  run: (auth: string) => Effect.Effect<A, E, R>
) =>
  renewing(
    moving.notes.here.accessJwt,
    run,
    callHere(moving.did, refreshNsid, { method: "POST", auth: moving.notes.here.refreshJwt }).pipe(
      Effect.flatMap((answer) => decoded(refreshNsid, Tokens, answer)),
      Effect.tap((tokens) => moving.keep({ here: tokens })),
      Effect.map(({ accessJwt }) => accessJwt)
    )
  )

/** A call of the old server with its session. */
export const there = (moving: Moving, nsid: string, call: RemoteCall = {}) =>
  withThere(moving, (auth) => callThere(moving.notes.from, nsid, { ...call, auth }))

/** A call of this server with its session. */
export const here = (moving: Moving, nsid: string, call: RemoteCall = {}) =>
  withHere(moving, (auth) => callHere(moving.did, nsid, { ...call, auth }))
