import * as Result from "effect/Result"
import type { Query } from "./calledUrl.ts"
import { compile } from "./compile.ts"
import { refused, within, type Check, type Checked, type Issue } from "./issue.ts"
import type { ParamsSchema, Schema } from "./schema.ts"

/** Parsed parameters: strings, integers, booleans, or lists of them. */
export type Params = Record<string, unknown>

interface Parameter {
  readonly name: string
  readonly list: boolean
  readonly required: boolean
  readonly fallback: unknown
  readonly read: (text: string) => unknown
  readonly check: Check
}

const readInteger = (text: string): unknown => (/^-?[0-9]{1,16}$/.test(text) ? Number(text) : text)

const readBoolean = (text: string): unknown =>
  text === "true" ? true : text === "false" ? false : text

const reader = (schema: Schema): ((text: string) => unknown) =>
  schema.type === "integer" ? readInteger : schema.type === "boolean" ? readBoolean : (text) => text

const repeated = refused("must be given once")
const missing = refused("is required")

const readAll = (parameter: Parameter, texts: Array<string>): unknown =>
  parameter.list ? texts.map(parameter.read) : parameter.read(texts[0] ?? "")

/** Matches list values as `name[]` and `name[0]`, which many HTTP libraries write. */
const bracketed = /\[[0-9]{0,4}\]$/

const listValues = (search: Query, name: string): Array<string> =>
  [...search].flatMap(([key, value]) => (key.replace(bracketed, "") === name ? [value] : []))

/** The values of a query parameter; an empty value counts as absent. */
const valuesOf = (search: Query, { name, list }: Pick<Parameter, "name" | "list">) =>
  (list ? listValues(search, name) : search.getAll(name)).filter((value) => value !== "")

/** The value of a single query parameter; undefined if it is missing or empty. */
export const queryValue = (search: Query, name: string): string | undefined =>
  valuesOf(search, { name, list: false })[0]

/** Compiles a method's parameters into a parser of query strings. */
export const compileParams = (
  schema: ParamsSchema | undefined
): ((search: Query) => Checked<Params>) => {
  const parameters = Object.entries(schema?.properties ?? {}).map(([name, own]): Parameter => {
    const item = own.type === "array" ? own.items : own
    // A parameter is text, which `unknown` doesn't restrict; refs can't occur here.
    const scope = { name, home: name, resolve: () => undefined }
    return {
      name,
      list: own.type === "array",
      required: schema?.required?.includes(name) ?? false,
      fallback: "default" in own ? own.default : undefined,
      read: reader(item),
      check: own.type === "unknown" ? () => undefined : compile(own, scope)
    }
  })
  return (search) => {
    const value: Params = {}
    for (const parameter of parameters) {
      const texts = valuesOf(search, parameter)
      let issue: Issue | undefined
      if (texts.length === 0) {
        if (parameter.fallback !== undefined) value[parameter.name] = parameter.fallback
        else if (parameter.required) issue = missing
      } else if (texts.length > 1 && !parameter.list) {
        issue = repeated
      } else {
        const own = readAll(parameter, texts)
        issue = parameter.check(own)
        value[parameter.name] = own
      }
      if (issue !== undefined) return Result.fail(within(parameter.name, issue))
    }
    return Result.succeed(value)
  }
}
