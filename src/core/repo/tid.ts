const alphabet = "234567abcdefghijklmnopqrstuvwxyz"
const pattern = /^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$/

/** Number of clock ids, which start at 0. */
export const clockIds = 1024

/** Whether text is a TID: 13 characters of sortable base32. */
export const isTid = (text: string): boolean => pattern.test(text)

/** The TID for microseconds since 1970 on one of 1,024 clocks. */
export const tidFromMicros = (micros: number, clockId: number): string => {
  if (!Number.isSafeInteger(micros) || micros < 0) throw new RangeError("not a time of a TID")
  if (!Number.isInteger(clockId) || clockId < 0 || clockId >= clockIds) {
    throw new RangeError("not the id of a clock")
  }
  let text = ""
  let rest = micros
  for (let i = 0; i < 11; i++) {
    text = alphabet[rest % 32]! + text
    rest = Math.floor(rest / 32)
  }
  return text + alphabet[clockId >>> 5]! + alphabet[clockId & 31]!
}

/** A TID's time, in microseconds since 1970. */
export const tidToMicros = (tid: string): number => {
  if (!isTid(tid)) throw new RangeError("not a TID")
  let micros = 0
  for (let i = 0; i < 11; i++) micros = micros * 32 + alphabet.indexOf(tid[i]!)
  return micros
}

/**
 * A TID greater than `previous` even if the clock steps back: the current time's, or the next one.
 */
export const nextTid = (
  previous: string | undefined,
  nowMicros: number,
  clockId: number
): string => {
  if (previous === undefined) return tidFromMicros(nowMicros, clockId)
  return tidFromMicros(Math.max(nowMicros, tidToMicros(previous) + 1), clockId)
}
