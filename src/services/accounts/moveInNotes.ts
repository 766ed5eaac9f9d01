import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { continueMigration } from "./PendingMigration.ts"
import { AccountStore } from "./AccountStore.ts"
import { MoveIn } from "./MoveIn.ts"
import { InvalidRequest } from "../failures.ts"
import { Sessions } from "../sessions/Sessions.ts"

/** A token of any server; none is longer. */
export const TokenText = Schema.String.check(Schema.isMaxLength(8192))
const Tokens = Schema.Struct({ accessJwt: TokenText, refreshJwt: TokenText })

const Address = Schema.String.check(Schema.isMaxLength(500))

/** A session at the old server: a password's, or OAuth's with the key that its tokens are bound to. */
export const OldTokens = Schema.Struct({
  ...Tokens.fields,
  grant: Schema.optionalKey(
    Schema.Struct({
      /** The endpoints for tokens and for their end. */
      token: Address,
      revoke: Schema.optionalKey(Address),
      /** A P-256 key in base64url. */
      key: Schema.String.check(Schema.isMaxLength(64))
    })
  )
})

/** The session at the old server. */
export type OldTokens = typeof OldTokens.Type

const Notes = Schema.Struct({
  /** The old server's origin. */
  from: Schema.String.check(Schema.isMaxLength(300)),
  /** The session at the old server, until it ends. */
  there: Schema.optionalKey(OldTokens),
  here: Tokens,
  /** The rev of the repo that was imported. */
  rev: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(64))),
  /** The missing blobs up to this CID were set aside, because the old server doesn't send them. */
  after: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(128))),
  /** How often the first missing blob behind that one failed. */
  tries: Schema.optionalKey(Schema.Int),
  hasPreferences: Schema.Boolean
})

/** How far a move to this server is, and its sessions at both. */
export type MoveInNotes = typeof Notes.Type

const NotesText = Schema.fromJsonString(Notes)

const read = Effect.gen(function* () {
  const text = yield* (yield* MoveIn).get
  return text === undefined
    ? undefined
    : Option.getOrUndefined(Schema.decodeUnknownOption(NotesText)(text))
})

const write = Effect.fnUntraced(function* (notes: MoveInNotes) {
  const text = yield* Effect.mapError(
    Schema.encodeEffect(NotesText)(notes),
    () => new InvalidRequest({ message: "The old server's answer is too large" })
  )
  yield* (yield* MoveIn).set(text)
  yield* continueMigration
})

/** Begins a move, or continues it after another sign-in at the old server. */
const beginMoveIn = Effect.fn("moveIn.begin")(function* ({
  from,
  there
}: {
  readonly from: string
  readonly there: OldTokens
}) {
  const known = yield* read
  if (known !== undefined) return yield* write({ ...known, from, there })
  const { did } = yield* (yield* AccountStore).get
  const { accessJwt, refreshJwt } = yield* (yield* Sessions).open(did, {
    level: "full",
    isFirst: true
  })
  yield* write({ from, there, here: { accessJwt, refreshJwt }, hasPreferences: false })
})

/** The calls of an account's object about a move to this server. */
export const moveInCalls = {
  moveIn: () => read,
  beginMoveIn,
  keepMoveIn: ({ notes }: { readonly notes: MoveInNotes }) => write(notes),
  endMoveIn: () => Effect.flatMap(MoveIn, (moveIn) => moveIn.set(undefined))
}
