import type * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Schema from "effect/Schema"

/** The host's database failed; the cause has the driver's words. */
export class SqlError extends Schema.TaggedError<SqlError>()("SqlError", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {}

/** What the host's statements bind. */
export type SqlValue = string | number | null | Uint8Array

/** A part of a statement: its text, with a `?` for each of its values. */
export interface Fragment {
  readonly text: string
  readonly values: ReadonlyArray<SqlValue>
}

type Run = (statement: Fragment) => Effect.Effect<ReadonlyArray<object>, SqlError>

/** An effect that runs the statement and returns its rows; and a fragment, for a batch. */
export class Statement<Row extends object>
  extends Effectable.Class<ReadonlyArray<Row>, SqlError>
  implements Fragment
{
  readonly text: string
  readonly values: ReadonlyArray<SqlValue>
  private readonly run: Run

  constructor(run: Run, { text, values }: Fragment) {
    super()
    this.run = run
    this.text = text
    this.values = values
  }

  override asEffect(): Effect.Effect<ReadonlyArray<Row>, SqlError> {
    // SAFETY: who writes the statement names the columns of its rows.
    return this.run(this) as Effect.Effect<ReadonlyArray<Row>, SqlError>
  }
}

/** Writes statements of one database: what a template encloses is a fragment, or a value to bind. */
export interface Sql {
  <Row extends object = object>(
    texts: TemplateStringsArray,
    ...parts: ReadonlyArray<Fragment | SqlValue>
  ): Statement<Row>
}

const fragment = (text: string, values: ReadonlyArray<SqlValue> = []): Fragment => ({
  text,
  values
})

/** Text as it is, which must not come from outside. */
export const literal = (text: string): Fragment => fragment(text)

/** The name of a table or column. */
export const identifier = (name: string): Fragment => fragment(`"${name.replaceAll('"', '""')}"`)

const isFragment = (part: Fragment | SqlValue): part is Fragment =>
  typeof part === "object" && part !== null && "text" in part

const asFragment = (part: Fragment | SqlValue): Fragment =>
  isFragment(part) ? part : fragment("?", [part])

/** Fragments, or values to bind, with a text between them. */
export const joined = (parts: ReadonlyArray<Fragment | SqlValue>, between = ", "): Fragment => {
  const fragments = parts.map(asFragment)
  return fragment(
    fragments.map(({ text }) => text).join(between),
    fragments.flatMap(({ values }) => values)
  )
}

/** The statements of a database that runs them by `run`. */
export const sqlOver =
  (run: Run): Sql =>
  <Row extends object>(
    texts: TemplateStringsArray,
    ...parts: ReadonlyArray<Fragment | SqlValue>
  ) => {
    const fragments = parts.map(asFragment)
    const text = texts.reduce((before, after, at) => before + fragments[at - 1]!.text + after)
    return new Statement<Row>(
      run,
      fragment(
        text,
        fragments.flatMap(({ values }) => values)
      )
    )
  }
