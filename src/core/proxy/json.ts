/** A JSON object of a response, with unknown contents. */
export interface JsonObject {
  readonly [key: string]: unknown
}

/** Whether a JSON value is an object. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The value at a path of keys, if everything on the path is an object. */
export const at = (value: unknown, ...keys: ReadonlyArray<string>): unknown => {
  let found = value
  for (const key of keys)
    found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined
  return found
}

/** The text at a path. */
export const textAt = (value: unknown, ...keys: ReadonlyArray<string>): string | undefined => {
  const found = at(value, ...keys)
  return typeof found === "string" ? found : undefined
}

/** The object at a path. */
export const objectAt = (
  value: unknown,
  ...keys: ReadonlyArray<string>
): JsonObject | undefined => {
  const found = at(value, ...keys)
  return isObject(found) ? found : undefined
}

/** The array at a path; empty if there is none. */
export const listAt = (value: unknown, ...keys: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  const found = at(value, ...keys)
  return Array.isArray(found) ? found : []
}

/**
 * Whether an object of a view is a record: its type is a collection, while views have definitions
 * (`#`).
 */
export const isRecord = (value: JsonObject): boolean =>
  textAt(value, "$type")?.includes("#") === false
