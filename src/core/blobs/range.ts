/**
 * What a Range header requests of a body of known size: all of it, one part, or nothing
 * satisfiable.
 */
export type RequestedRange =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly offset: number; readonly length: number }
  | { readonly kind: "unsatisfiable" }

const whole: RequestedRange = { kind: "whole" }
const unsatisfiable: RequestedRange = { kind: "unsatisfiable" }
const single = /^bytes[ \t]*=[ \t]*(\d*)[ \t]*-[ \t]*(\d*)[ \t]*$/i

/**
 * Parses a Range header (RFC 9110, 14.2): one range or a suffix.
 *
 * Ignores several ranges, other units and malformed headers, as the RFC allows, and returns the
 * whole.
 */
export const parseRange = (header: string | null, size: number): RequestedRange => {
  const match = header === null ? null : single.exec(header)
  if (match === null) return whole
  const [, first = "", last = ""] = match
  if (first === "") {
    if (last === "") return whole
    const length = Math.min(Number(last), size)
    return length === 0 ? unsatisfiable : { kind: "part", offset: size - length, length }
  }
  const offset = Number(first)
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1)
  if (last !== "" && Number(last) < offset) return whole
  return offset >= size ? unsatisfiable : { kind: "part", offset, length: end - offset + 1 }
}
