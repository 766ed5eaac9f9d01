import { refused, within, type Check } from "./issue.ts"
import { isPlainObject } from "./objects.ts"
import {
  checkCidLink,
  checkNull,
  compileBlob,
  compileBoolean,
  compileBytes,
  compileInteger,
  compileString,
  compileToken
} from "./scalars.ts"
import {
  fullName,
  type ArraySchema,
  type ObjectSchema,
  type Schema,
  type UnionSchema
} from "./schema.ts"

/** The context of a schema: its full name, its document, and access to other definitions. */
export interface Scope {
  readonly name: string
  readonly home: string
  /** The check for a definition by its full name; undefined if it doesn't exist. */
  readonly resolve: (name: string) => Check | undefined
}

/** Compiles a schema into one closure; references are compiled on first use. */
export const compile = (schema: Schema, scope: Scope): Check => {
  switch (schema.type) {
    case "object":
      return compileObject(schema, scope)
    case "array":
      return compileArray(schema, scope)
    case "union":
      return compileUnion(schema, scope)
    case "ref":
      return compileRef(fullName(schema.ref, scope.home), scope)
    case "string":
      return compileString(schema)
    case "integer":
      return compileInteger(schema)
    case "boolean":
      return compileBoolean(schema)
    case "bytes":
      return compileBytes(schema)
    case "blob":
      return compileBlob(schema)
    case "cid-link":
      return checkCidLink
    case "null":
      return checkNull
    case "token":
      return compileToken(scope.name)
    case "unknown":
      return checkUnknown
  }
}

const notObject = refused("must be an object")
const notData = refused("must be an object, not a blob")

const checkUnknown: Check = (value) => {
  if (!isPlainObject(value)) return notObject
  return value["$type"] === "blob" ? notData : undefined
}

const missing = refused("is required")

const compileObject = (schema: ObjectSchema, scope: Scope): Check => {
  const { properties = {}, required = [], nullable = [] } = schema
  const names = new Set([...Object.keys(properties), ...required])
  const fields = Array.from(names, (name) => {
    const inner = Object.hasOwn(properties, name) ? properties[name] : undefined
    return {
      name,
      check: inner === undefined ? undefined : compile(inner, scope),
      required: required.includes(name),
      nullable: nullable.includes(name),
      // A name such as "constructor" would otherwise exist on every object.
      inherited: name in Object.prototype
    }
  })
  return (value) => {
    if (!isPlainObject(value)) return notObject
    for (const field of fields) {
      const absent = field.inherited && !Object.hasOwn(value, field.name)
      const inner = absent ? undefined : value[field.name]
      if (inner === undefined) {
        if (field.required) return within(field.name, missing)
      } else if (inner !== null || !field.nullable) {
        const issue = field.check?.(inner)
        if (issue !== undefined) return within(field.name, issue)
      }
    }
    return undefined
  }
}

const compileArray = (schema: ArraySchema, scope: Scope): Check => {
  const { minLength = 0, maxLength = Infinity } = schema
  const item = compile(schema.items, scope)
  const notArray = refused("must be an array")
  const short = refused(`must not have fewer than ${minLength} elements`)
  const long = refused(`must not have more than ${maxLength} elements`)
  return (value) => {
    if (!Array.isArray(value)) return notArray
    if (value.length < minLength) return short
    if (value.length > maxLength) return long
    for (let i = 0; i < value.length; i++) {
      const issue = item(value[i])
      if (issue !== undefined) return within(i, issue)
    }
    return undefined
  }
}

const compileRef = (name: string, scope: Scope): Check => {
  let target: Check | undefined
  const unknown = refused(`has a type that is not known here: ${name}`)
  return (value) => {
    target ??= scope.resolve(name) ?? (() => unknown)
    return target(value)
  }
}

const untyped = refused("must be an object with a $type")

const compileUnion = (schema: UnionSchema, scope: Scope): Check => {
  const names = schema.refs.map((ref) => fullName(ref, scope.home))
  const members = new Map<string, Check>()
  for (const name of names) {
    const check: Check = (value) => (scope.resolve(name) ?? checkUnknown)(value)
    members.set(name, check)
    if (!name.includes("#")) members.set(`${name}#main`, check)
  }
  const outside = within("$type", refused(`must be one of ${names.join(", ")}`))
  return (value) => {
    if (!isPlainObject(value)) return untyped
    const type = value["$type"]
    // A blob's `$type` names no definition.
    if (typeof type !== "string" || type === "" || type === "blob") return untyped
    const member = members.get(type)
    if (member !== undefined) return member(value)
    return schema.closed === true ? outside : undefined
  }
}
