import * as Schema from "effect/Schema"
import * as Transformation from "effect/SchemaTransformation"
import { isHttp, isLocalName, parse, text, trimSlash } from "./configSyntax.ts"

/** `03:00` as minutes after midnight. */
export const TimeOfDay = Schema.String.check(
  Schema.makeFilter((value) => /^([01]\d|2[0-3]):[0-5]\d$/.test(value))
).pipe(
  Schema.decodeTo(
    Schema.Int,
    Transformation.transform({
      decode: (value) => Number(value.slice(0, 2)) * 60 + Number(value.slice(3)),
      encode: (minutes) =>
        [Math.floor(minutes / 60), minutes % 60].map((n) => String(n).padStart(2, "0")).join(":")
    })
  )
)

const Kept = Schema.Struct({ days: Schema.Int, weeks: Schema.Int, months: Schema.Int })

/** Days, weeks and months: `7,4,12`. */
export const Retention = Schema.String.check(
  Schema.makeFilter((value) => /^\s*\d{1,4}\s*,\s*\d{1,4}\s*,\s*\d{1,4}\s*$/.test(value))
).pipe(
  Schema.decodeTo(
    Kept,
    Transformation.transform({
      decode: (value) => {
        const [days = 0, weeks = 0, months = 0] = value.split(",").map(Number)
        return { days, weeks, months }
      },
      encode: ({ days, weeks, months }) => `${days},${weeks},${months}`
    })
  )
)

/** A bucket's address, with a prefix or without; http for this machine only. */
export const StoreUrl = text((value) => {
  const url = parse(value)
  return (
    url !== undefined &&
    isHttp(url) &&
    (url.protocol === "https:" || isLocalName(url.hostname)) &&
    url.search === "" &&
    url.hash === "" &&
    trimSlash(url.pathname) !== ""
  )
}, trimSlash)
