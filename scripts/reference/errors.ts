import type * as SchemaAST from "effect/SchemaAST"
import { wire } from "../../src/http/errors.ts"
import type { WireError } from "../../src/http/wire.ts"
import { code, page, table } from "./page.ts"

/** A placeholder for a number in the request. */
const anyNumber = 987_654_321

type Fields = Readonly<Record<string, unknown>>

/**
 * Values that show a field's effect on the response: each of its literals, or a text with its
 * name.
 */
const samplesOf = (name: string, ast: SchemaAST.AST): ReadonlyArray<unknown> => {
  switch (ast._tag) {
    case "Literal":
      return [ast.literal]
    case "Union":
      return ast.types.flatMap((one) => samplesOf(name, one))
    case "String":
      return [`<${name}>`]
    case "Number":
      return [anyNumber]
    case "Arrays":
      return [[`<${name}>`]]
    case "Undefined":
      return []
    default:
      return [new Error(`<${name}>`)]
  }
}

/** Every combination of the samples of a failure's fields. */
const instancesOf = (
  fields: Readonly<Record<string, { readonly ast: SchemaAST.AST }>>
): ReadonlyArray<Fields> =>
  Object.entries(fields).reduce<ReadonlyArray<Fields>>(
    (made, [name, { ast }]) =>
      made.flatMap((one) => {
        const samples = samplesOf(name, ast)
        return samples.length === 0 ? [one] : samples.map((sample) => ({ ...one, [name]: sample }))
      }),
    [{}]
  )

interface Declared {
  readonly failure: {
    readonly identifier: string
    readonly fields: Readonly<Record<string, { readonly ast: SchemaAST.AST }>>
    new (fields: never): unknown
  }
  readonly answer: (failure: never) => WireError
}

/** errors.md: every error of the wire table. */
export const errors = (): string => {
  const rows = new Map<string, ReadonlyArray<string>>()
  // SAFETY: the table holds classes of tagged errors.
  for (const { failure, answer } of wire as unknown as ReadonlyArray<Declared>) {
    for (const fields of instancesOf(failure.fields)) {
      const { status, error, message } = answer(new failure(fields as never) as never)
      const shown = message
        .replaceAll(String(anyNumber), "<number>")
        .replaceAll(/[<>]/g, (sign) => `\\${sign}`)
      const row = [String(status), code(error), shown]
      rows.set(row.join(" "), row)
    }
  }
  const sorted = [...rows.values()].toSorted((one, other) =>
    one.join(" ") < other.join(" ") ? -1 : 1
  )
  return page(
    "Errors",
    "Every error that an XRPC method answers, as `{ error, message }`. `<name>` is a value of the request. Anything unforeseen answers 500 `InternalServerError`.",
    table(["status", "error", "message"], sorted)
  )
}
