import type { Steps } from "./blobs.ts"
import { isPlainObject } from "./objects.ts"
import { fullName, type BlobSchema, type Definition, type Schema } from "./schema.ts"

/** Finds a definition by its full name, `nsid` or `nsid#name`. */
export type FindDefinition = (name: string) => Definition | undefined

interface Place {
  readonly schema: Definition
  readonly home: string
}

const homeOf = (name: string): string => name.split("#", 1)[0] ?? name

const named = (name: string, find: FindDefinition): Place | undefined => {
  const schema = find(name)
  return schema === undefined ? undefined : { schema, home: homeOf(name) }
}

/** Resolves refs, and unions by the value's `$type`, to the schema of the value. */
const settle = (
  { schema, home }: Place,
  value: unknown,
  find: FindDefinition,
  hops = 8
): Place | undefined => {
  if (hops === 0) return undefined
  if (schema.type === "record") return { schema: schema.record, home }
  if (schema.type !== "ref" && schema.type !== "union") return { schema, home }
  let target: string | undefined
  if (schema.type === "ref") {
    target = fullName(schema.ref, home)
  } else if (isPlainObject(value) && typeof value["$type"] === "string") {
    const type = fullName(value["$type"], home)
    target = schema.refs.map((ref) => fullName(ref, home)).find((name) => name === type)
  }
  const next = target === undefined ? undefined : named(target, find)
  return next === undefined ? undefined : settle(next, value, find, hops - 1)
}

const inside = ({ schema, home }: Place, step: string | number): Place | undefined => {
  let inner: Schema | undefined
  if (schema.type === "array" && typeof step === "number") inner = schema.items
  else if (schema.type === "object" && typeof step === "string") {
    const { properties = {} } = schema
    if (Object.hasOwn(properties, step)) inner = properties[step]
  }
  return inner === undefined ? undefined : { schema: inner, home }
}

/**
 * The blob schema at a path into a value of the definition `name`; undefined if the lexicon doesn't
 * describe that path (unknown fields, open unions).
 */
export const blobSchemaAt = (
  name: string,
  root: unknown,
  steps: Steps,
  find: FindDefinition
): BlobSchema | undefined => {
  let value: unknown = root
  let place = named(name, find)
  for (const step of steps) {
    if (place === undefined) return undefined
    const settled = settle(place, value, find)
    place = settled === undefined ? undefined : inside(settled, step)
    value = (value as Record<string | number, unknown>)[step]
  }
  const end = place === undefined ? undefined : settle(place, value, find)
  return end?.schema.type === "blob" ? end.schema : undefined
}
