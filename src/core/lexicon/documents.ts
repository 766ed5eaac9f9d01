import * as Result from "effect/Result"
import { compile } from "./compile.ts"
import { refused, within, type Checked, type Issue } from "./issue.ts"
import { isPlainObject } from "./objects.ts"
import type { Definitions, ObjectSchema, Schema } from "./schema.ts"
import { isNsid, isRecordKey } from "./syntax.ts"

/** A lexicon document: version 1 of the language, its NSID and its definitions. */
export interface LexiconDocument {
  readonly lexicon: 1
  readonly id: string
  readonly defs: Definitions
}

const text: Schema = { type: "string" }
const flag: Schema = { type: "boolean" }
const integer: Schema = { type: "integer" }
const count: Schema = { type: "integer", minimum: 0 }
const object: Schema = { type: "object" }
const listOf = (items: Schema): Schema => ({ type: "array", items })

const lengths = { minLength: count, maxLength: count }

/** The fields of each type of the language; other fields are ignored. */
const fields = {
  boolean: { default: flag, const: flag },
  integer: {
    default: integer,
    const: integer,
    enum: listOf(integer),
    minimum: integer,
    maximum: integer
  },
  string: {
    format: text,
    default: text,
    const: text,
    enum: listOf(text),
    knownValues: listOf(text),
    ...lengths,
    minGraphemes: count,
    maxGraphemes: count
  },
  bytes: lengths,
  "cid-link": {},
  blob: { accept: listOf(text), maxSize: count },
  array: { ...lengths, items: object },
  object: { properties: object, required: listOf(text), nullable: listOf(text) },
  params: { properties: object, required: listOf(text) },
  ref: { ref: text },
  union: { refs: listOf(text), closed: flag },
  token: {},
  unknown: {},
  null: {},
  record: { key: text, record: object },
  query: { parameters: object, output: object, errors: listOf(object) },
  procedure: { parameters: object, input: object, output: object, errors: listOf(object) },
  subscription: { parameters: object, message: object, errors: listOf(object) },
  "permission-set": { title: text, detail: text, permissions: listOf(object) }
} satisfies Record<string, ObjectSchema["properties"]>

type Type = keyof typeof fields

const required: { readonly [type in Type]?: ReadonlyArray<string> } = {
  array: ["items"],
  ref: ["ref"],
  union: ["refs"],
  record: ["key", "record"],
  "permission-set": ["permissions"]
}

const scope = { name: "", home: "", resolve: () => undefined }

const shapes = new Map(
  Object.entries(fields).map(([type, properties]) => [
    type,
    compile({ type: "object", properties, required: required[type as Type] ?? [] }, scope)
  ])
)

const primary: ReadonlyArray<Type> = [
  "record",
  "query",
  "procedure",
  "subscription",
  "permission-set"
]
const scalars: ReadonlyArray<Type> = ["boolean", "integer", "string"]
const named: ReadonlyArray<Type> = [
  ...scalars,
  ...(["bytes", "cid-link", "blob", "array", "object", "token", "null"] as const)
]
const inner: ReadonlyArray<Type> = [...named, "ref", "union", "unknown"]
const bodies: ReadonlyArray<Type> = ["object", "ref", "union"]

type Fields = Readonly<Record<string, unknown>>

/** The first issue of checks in order. */
const first = (...checks: ReadonlyArray<() => Issue | undefined>): Issue | undefined => {
  for (const check of checks) {
    const issue = check()
    if (issue !== undefined) return issue
  }
  return undefined
}

const at = (key: string | number, check: () => Issue | undefined) => (): Issue | undefined => {
  const issue = check()
  return issue === undefined ? undefined : within(key, issue)
}

const each = (map: unknown, check: (value: unknown) => Issue | undefined): Issue | undefined => {
  for (const [key, value] of Object.entries(map ?? {})) {
    const issue = check(value)
    if (issue !== undefined) return within(Array.isArray(map) ? Number(key) : key, issue)
  }
  return undefined
}

const checkSchema = (
  value: unknown,
  allowed: ReadonlyArray<Type>,
  depth = 0
): Issue | undefined => {
  if (!isPlainObject(value)) return refused("must be an object")
  if (depth > 32) return refused("is nested too deeply")
  const type = allowed.find((name) => name === value["type"])
  if (type === undefined) {
    return within("type", refused(`must be one of ${allowed.join(", ")}`))
  }
  return shapes.get(type)?.(value) ?? checkFields(type, value, depth + 1)
}

const checkFields = (type: Type, value: Fields, depth: number): Issue | undefined => {
  const nested = (key: string, allowed: ReadonlyArray<Type>) =>
    at(key, () => (value[key] === undefined ? undefined : checkSchema(value[key], allowed, depth)))
  switch (type) {
    case "array":
      return first(nested("items", inner), () => checkBounds(value))
    case "object":
    case "params":
      return first(
        at("properties", () =>
          each(value["properties"], (own) =>
            type === "object" ? checkSchema(own, inner, depth) : checkParam(own, depth)
          )
        ),
        at("required", () => checkListed(value["required"], value["properties"])),
        at("nullable", () => checkListed(value["nullable"], value["properties"]))
      )
    case "ref":
      return at("ref", () => checkRef(value["ref"]))()
    case "union":
      return at("refs", () => each(value["refs"], checkRef))()
    case "record":
      return first(
        at("key", () => checkKeyType(value["key"])),
        nested("record", ["object"])
      )
    case "query":
    case "procedure":
    case "subscription":
      return first(
        nested("parameters", ["params"]),
        at("input", () => checkBody(value["input"], depth)),
        at("output", () => checkBody(value["output"], depth)),
        at("message", () => checkMessage(value["message"], depth)),
        at("errors", () => each(value["errors"], checkError))
      )
    case "permission-set":
      return at("permissions", () => each(value["permissions"], checkPermission))()
    default:
      return checkBounds(value)
  }
}

const checkBounds = (value: Fields): Issue | undefined => {
  const crossed = (low: string, high: string) => Number(value[low]) > Number(value[high])
  for (const [low, high] of [
    ["minLength", "maxLength"],
    ["minGraphemes", "maxGraphemes"],
    ["minimum", "maximum"]
  ] as const) {
    if (crossed(low, high)) return within(low, refused(`must not be above ${high}`))
  }
  return value["const"] !== undefined && value["default"] !== undefined
    ? within("default", refused("must not stand beside const"))
    : undefined
}

const checkParam = (value: unknown, depth: number): Issue | undefined => {
  const issue = checkSchema(value, [...scalars, "unknown", "array"], depth)
  if (issue !== undefined || !isPlainObject(value) || value["type"] !== "array") return issue
  return at("items", () => checkSchema(value["items"], [...scalars, "unknown"], depth))()
}

const checkListed = (names: unknown, properties: unknown): Issue | undefined =>
  each(names, (name) =>
    typeof name === "string" && Object.hasOwn(properties ?? {}, name)
      ? undefined
      : refused("must name a property")
  )

const defName = /^[a-zA-Z][a-zA-Z0-9]{0,62}$/

const checkRef = (ref: unknown): Issue | undefined => {
  const [nsid = "", name, ...rest] = String(ref).split("#")
  const good =
    rest.length === 0 &&
    (nsid === "" ? name !== undefined : isNsid(nsid)) &&
    (name === undefined || defName.test(name))
  return good ? undefined : refused("must be a reference to a definition")
}

const checkKeyType = (key: unknown): Issue | undefined => {
  const literal = typeof key === "string" && key.startsWith("literal:") ? key.slice(8) : undefined
  if (key === "tid" || key === "nsid" || key === "any") return undefined
  if (literal !== undefined && isRecordKey(literal)) return undefined
  return refused("must be tid, nsid, any or literal:<record key>")
}

const checkBody = (body: unknown, depth: number): Issue | undefined => {
  if (body === undefined || !isPlainObject(body)) return undefined
  if (typeof body["encoding"] !== "string") return within("encoding", refused("must be a string"))
  if (body["schema"] === undefined) return undefined
  return at("schema", () => checkSchema(body["schema"], bodies, depth))()
}

const checkMessage = (message: unknown, depth: number): Issue | undefined =>
  isPlainObject(message)
    ? at("schema", () => checkSchema(message["schema"], bodies, depth))()
    : undefined

const checkError = (error: unknown): Issue | undefined =>
  isPlainObject(error) && typeof error["name"] === "string" && /^\S+$/.test(error["name"])
    ? undefined
    : within("name", refused("must be a name without white space"))

const checkPermission = (permission: unknown): Issue | undefined => {
  if (!isPlainObject(permission) || permission["type"] !== "permission") {
    return within("type", refused("must be permission"))
  }
  return typeof permission["resource"] === "string"
    ? undefined
    : within("resource", refused("must be a string"))
}

const isPrimary = (value: unknown): boolean =>
  isPlainObject(value) && primary.some((type) => type === value["type"])

/** Checks that a value is a lexicon document, which a `Catalog` can use. */
export const checkDocument = (json: unknown): Checked<LexiconDocument> => {
  if (!isPlainObject(json)) return Result.fail(refused("must be an object"))
  const { lexicon, id, defs } = json
  if (lexicon !== 1) return Result.fail(within("lexicon", refused("must be 1")))
  if (typeof id !== "string" || !isNsid(id)) {
    return Result.fail(within("id", refused("must be a valid nsid")))
  }
  if (!isPlainObject(defs) || Object.keys(defs).length === 0) {
    return Result.fail(within("defs", refused("must hold a definition")))
  }
  for (const [name, definition] of Object.entries(defs)) {
    const issue = !defName.test(name)
      ? refused("is not a name for a definition")
      : name !== "main" && isPrimary(definition)
        ? refused("must be called main")
        : checkSchema(definition, [...named, ...primary])
    if (issue !== undefined) return Result.fail(within("defs", within(name, issue)))
  }
  // SAFETY: everything the type promises about `defs` has just been checked.
  return Result.succeed({ lexicon, id, defs: defs as unknown as Definitions })
}
