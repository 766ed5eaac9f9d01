import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Accounts } from "../../accounts/Accounts.ts"
import { Directory } from "../../accounts/Directory.ts"
import { WatchNotes } from "../WatchNotes.ts"

const hour = 3_600_000
const aDay = 24 * hour

/** How often every account is asked, in milliseconds. */
const every = 6 * hour

/** The most accounts of one run: 5,760 a day. */
const most = 20

const optional = Schema.optionalKey

const Sum = Schema.Struct({
  accounts: Schema.Int,
  records: Schema.Int,
  blobBytes: Schema.Int
})

/** How many days are kept, with today. */
export const keptDays = 30

/** The newest sum of a day. */
const Day = Schema.Struct({
  /** In days since 1970. */
  day: Schema.Int,
  blobBytes: Schema.Int
})

/** A day with what all accounts stored on it. */
export type StorageDay = typeof Day.Type

/** A walk through the accounts, and the sum of the last one that ended. */
const Walk = Schema.Struct({
  begunAt: Schema.Finite,
  /** Without it, the walk waits for its next turn. */
  cursor: optional(Schema.String),
  sum: Sum,
  last: optional(Schema.Struct({ ...Sum.fields, at: Schema.Finite })),
  /** Oldest first; absent from a note of an older version. */
  days: optional(Schema.Array(Day))
})

type Walk = typeof Walk.Type

const nothing: typeof Sum.Type = { accounts: 0, records: 0, blobBytes: 0 }

const readWalk = Effect.map(
  Effect.flatMap(WatchNotes, (notes) => notes.get("storage")),
  (note) => Option.getOrUndefined(Schema.decodeUnknownOption(Walk)(note))
)

/** What all accounts stored at the end of the last walk; reads one row. */
export const storageReport = Effect.map(readWalk, (walk) => walk?.last)

/** What all accounts stored on each noted day, oldest first; reads one row. */
export const storageDays = Effect.map(readWalk, (walk) => walk?.days ?? [])

/** The noted days with another sum, which replaces an earlier one of its day. */
const withDay = (
  days: ReadonlyArray<StorageDay>,
  day: number,
  { blobBytes }: typeof Sum.Type
): ReadonlyArray<StorageDay> => [
  ...days.filter((one) => one.day < day && one.day > day - keptDays),
  { day, blobBytes }
]

const sizeOf = Effect.fnUntraced(function* (did: string) {
  const accounts = yield* Accounts
  return yield* Effect.catchTag(accounts.call(did, "size"), "RepoNotFound", () => Effect.undefined)
})

type Size = Effect.Success<ReturnType<typeof sizeOf>>

const addTo = (sum: typeof Sum.Type, sizes: ReadonlyArray<Size>): typeof Sum.Type => {
  const known = sizes.flatMap((size) => (size === undefined ? [] : [size]))
  return {
    accounts: sum.accounts + known.length,
    records: known.reduce((all, { records }) => all + records, sum.records),
    blobBytes: known.reduce((all, { used }) => all + used, sum.blobBytes)
  }
}

/**
 * Asks the next accounts how much they store; a walk through all begins every six hours at most.
 *
 * If one can't be reached, the walk stays where it is: a sum is either whole or old.
 */
export const sumStorage = Effect.gen(function* () {
  const now = yield* Clock.currentTimeMillis
  const walk = yield* readWalk
  const isNew = walk?.cursor === undefined
  if (walk !== undefined && isNew && now - walk.begunAt < every) return
  const { accounts, cursor } = yield* (yield* Directory).list({
    limit: most,
    ...(walk?.cursor === undefined ? {} : { cursor: walk.cursor })
  })
  const sizes = yield* Effect.forEach(accounts, ({ did }) => sizeOf(did), { concurrency: 4 })
  const sum = addTo(isNew ? nothing : walk.sum, sizes)
  const next: Walk = {
    begunAt: isNew ? now : walk.begunAt,
    ...(cursor === undefined ? {} : { cursor }),
    sum,
    ...(cursor === undefined
      ? {
          last: { ...sum, at: now },
          days: withDay(walk?.days ?? [], Math.floor(now / aDay), sum)
        }
      : {
          ...(walk?.last === undefined ? {} : { last: walk.last }),
          ...(walk?.days === undefined ? {} : { days: walk.days })
        })
  }
  yield* (yield* WatchNotes).set("storage", next)
})
