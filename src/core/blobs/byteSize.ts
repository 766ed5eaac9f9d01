const units = ["B", "KB", "MB", "GB", "TB"]

/** The largest size that is accepted: a petabyte. */
const most = 1e15

/** The bytes of a size such as `500MB` or `1.5 GB`; undefined for any other text, and for nothing. */
export const parseByteSize = (text: string): number | undefined => {
  const [, number, unit = "B"] = /^(\d{1,15}(?:\.\d{1,3})?)\s*([KMGT]?B)?$/i.exec(text.trim()) ?? []
  const bytes = Math.round(Number(number) * 1000 ** units.indexOf(unit.toUpperCase()))
  return bytes > 0 && bytes <= most ? bytes : undefined
}

/** A size as people type it: `1.5 GB`. */
export const byteSize = (bytes: number): string => {
  const unit = Math.max(0, Math.min(4, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)))
  return `${Number((bytes / 1000 ** unit).toFixed(3))} ${units[unit]}`
}

/** A typed quota in bytes: a size, `none` (0), or `default` or nothing (null); undefined for any other text. */
export const parseQuota = (text: string): number | null | undefined => {
  const word = text.trim().toLowerCase()
  if (word === "" || word === "default") return null
  return word === "none" ? 0 : parseByteSize(text)
}
