import * as Effect from "effect/Effect"
import { jsonObject } from "../../core/bytes/jsonObject.ts"
import type { Form } from "../../core/oauth/parameters.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { readBody } from "../input.ts"
import { spanned } from "../../services/operators/spanned.ts"

/** The largest body, in bytes. */
const bodyLimit = 100 * 1024

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const malformed = (message: string) => new InvalidRequest({ message })

/**
 * Parses an urlencoded form.
 *
 * Spec: RFC 6749 3.1 and 3.2: an empty value counts as missing; no parameter may be repeated.
 */
const fromUrlencoded = Effect.fnUntraced(function* (body: Uint8Array) {
  const text = yield* Effect.try({
    try: () => utf8.decode(body),
    catch: () => malformed("The body is not UTF-8")
  })
  const form = new Map<string, string>()
  const seen = new Set<string>()
  for (const [name, value] of new URLSearchParams(text)) {
    if (seen.has(name)) {
      return yield* malformed(`The parameter ${name.slice(0, 64)} comes more than once`)
    }
    seen.add(name)
    if (value !== "") form.set(name, value)
  }
  return form as Form
})

/** Parses a JSON object, with its values as in a form. */
const fromJson = Effect.fnUntraced(function* (body: Uint8Array) {
  const object = jsonObject(body)
  if (object === undefined) return yield* malformed("The body is not a JSON object")
  const form = new Map<string, string>()
  for (const [name, value] of Object.entries(object)) {
    if (value === null || value === "") continue
    form.set(name, typeof value === "string" ? value : JSON.stringify(value))
  }
  return form as Form
})

/** The parameters in a request's body: an urlencoded form, or JSON. */
export const readForm = spanned("http.readForm")(function* (request: Request) {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase()
  const body = yield* readBody(request, bodyLimit)
  if (type === "application/x-www-form-urlencoded") return yield* fromUrlencoded(body)
  if (type === "application/json") return yield* fromJson(body)
  return yield* malformed("The body must be application/x-www-form-urlencoded or application/json")
})
