import { Cid } from "../repo/cid.ts"
import { asBlob, blobFits } from "./blobs.ts"
import { refused, type Check } from "./issue.ts"
import type { BlobSchema, BytesSchema, IntegerSchema, StringSchema } from "./schema.ts"
import { formats } from "./syntax.ts"
import { graphemesUpTo, utf8Length } from "./text.ts"

type Limits = Pick<StringSchema, "minLength" | "maxLength" | "minGraphemes" | "maxGraphemes">

const lengthCheck = ({ minLength = 0, maxLength = Infinity }: Limits) => {
  const long = refused(`must not be longer than ${maxLength} bytes`)
  const short = refused(`must not be shorter than ${minLength} bytes`)
  return (text: string) => {
    // A UTF-16 unit is one to three bytes of UTF-8, so most texts need no counting.
    if (text.length >= minLength && text.length * 3 <= maxLength) return undefined
    if (text.length > maxLength) return long
    const bytes = utf8Length(text)
    return bytes > maxLength ? long : bytes < minLength ? short : undefined
  }
}

const graphemeCheck = ({ minGraphemes = 0, maxGraphemes = Infinity }: Limits) => {
  const long = refused(`must not be longer than ${maxGraphemes} graphemes`)
  const short = refused(`must not be shorter than ${minGraphemes} graphemes`)
  const limit = maxGraphemes === Infinity ? minGraphemes : maxGraphemes
  return (text: string) => {
    if (text.length < minGraphemes) return short
    if (minGraphemes === 0 && text.length <= maxGraphemes) return undefined
    const count = graphemesUpTo(text, limit)
    return count > maxGraphemes ? long : count < minGraphemes ? short : undefined
  }
}

/** Compiles a string schema; unknown formats are not checked. */
export const compileString = (schema: StringSchema): Check => {
  const checks: Array<(text: string) => ReturnType<Check>> = []
  if (schema.const !== undefined) checks.push(oneOf([schema.const]))
  if (schema.enum !== undefined) checks.push(oneOf(schema.enum))
  if (schema.minLength !== undefined || schema.maxLength !== undefined) {
    checks.push(lengthCheck(schema))
  }
  if (schema.minGraphemes !== undefined || schema.maxGraphemes !== undefined) {
    checks.push(graphemeCheck(schema))
  }
  const format = schema.format === undefined ? undefined : formats[schema.format]
  if (format !== undefined) {
    const bad = refused(`must be a valid ${schema.format}`)
    checks.push((text) => (format(text) ? undefined : bad))
  }
  const notString = refused("must be a string")
  return (value) => {
    if (typeof value !== "string") return notString
    for (const check of checks) {
      const issue = check(value)
      if (issue !== undefined) return issue
    }
    return undefined
  }
}

const oneOf = <T extends string | number | boolean>(allowed: ReadonlyArray<T>) => {
  const bad = refused(
    allowed.length === 1 ? `must be ${allowed[0]}` : `must be one of ${allowed.join(", ")}`
  )
  return (value: T) => (allowed.includes(value) ? undefined : bad)
}

/** Compiles an integer schema; only 53-bit integers are valid. */
export const compileInteger = (schema: IntegerSchema): Check => {
  const { minimum = -Infinity, maximum = Infinity } = schema
  const notInteger = refused("must be an integer")
  const small = refused(`must not be less than ${minimum}`)
  const large = refused(`must not be greater than ${maximum}`)
  const fixed = schema.const === undefined ? undefined : oneOf([schema.const])
  const listed = schema.enum === undefined ? undefined : oneOf(schema.enum)
  return (value) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value)) return notInteger
    if (value < minimum) return small
    if (value > maximum) return large
    return fixed?.(value) ?? listed?.(value)
  }
}

/** Compiles a boolean schema. */
export const compileBoolean = (schema: { readonly const?: boolean }): Check => {
  const notBoolean = refused("must be a boolean")
  const fixed = schema.const === undefined ? undefined : oneOf([schema.const])
  return (value) => (typeof value === "boolean" ? fixed?.(value) : notBoolean)
}

/** Compiles a byte-string schema. */
export const compileBytes = ({ minLength = 0, maxLength = Infinity }: BytesSchema): Check => {
  const notBytes = refused("must be bytes")
  const short = refused(`must not be shorter than ${minLength} bytes`)
  const long = refused(`must not be longer than ${maxLength} bytes`)
  return (value) => {
    if (!(value instanceof Uint8Array)) return notBytes
    return value.length < minLength ? short : value.length > maxLength ? long : undefined
  }
}

const notLink = refused("must be a link to a CID")

/** Accepts a link. */
export const checkCidLink: Check = (value) => (value instanceof Cid ? undefined : notLink)

/** Compiles a blob schema: the reference's form, the accepted types, the maximum size. */
export const compileBlob = (schema: BlobSchema): Check => {
  const notBlob = refused("must be a blob reference")
  return (value) => {
    const blob = asBlob(value)
    if (blob === undefined) return notBlob
    const message = blobFits(blob, schema)
    return message === undefined ? undefined : refused(message)
  }
}

/** Compiles the check for a token: its own full name. */
export const compileToken = (name: string): Check => {
  const bad = refused(`must be the token ${name}`)
  return (value) => (value === name ? undefined : bad)
}

const notNull = refused("must be null")

/** Accepts null. */
export const checkNull: Check = (value) => (value === null ? undefined : notNull)
