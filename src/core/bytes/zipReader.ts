/** A stored file in an archive. */
export interface ZipEntry {
  readonly name: string
  readonly size: number
  readonly crc: number
  /** Where its header begins. */
  readonly offset: number
}

/** The file isn't an archive that `ZipWriter` could have written. */
export class InvalidZip extends Error {
  override readonly name = "InvalidZip"
}

/** How many of the last bytes of an archive `directoryAt` needs. */
export const zipTail = 98

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const wide = (view: DataView, at: number): number => {
  const value = view.getBigUint64(at, true)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new InvalidZip("a number is too large")
  return Number(value)
}

/** Where the directory is, by the archive's last bytes; it ends where the archive's end begins. */
export const directoryAt = (
  tail: Uint8Array,
  archiveSize: number
): { readonly offset: number; readonly size: number; readonly count: number } => {
  const view = viewOf(tail)
  const end = tail.length - 22
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50) {
    throw new InvalidZip("its end is missing, so it is incomplete")
  }
  const is64 = view.getUint32(end + 16, true) === 0xffff_ffff
  const from = is64 ? end - 76 : end
  if (is64 && (from < 0 || view.getUint32(from, true) !== 0x06064b50)) {
    throw new InvalidZip("its end is damaged")
  }
  const directory = is64
    ? { offset: wide(view, from + 48), size: wide(view, from + 40), count: wide(view, from + 32) }
    : {
        offset: view.getUint32(end + 16, true),
        size: view.getUint32(end + 12, true),
        count: view.getUint16(end + 10, true)
      }
  if (directory.offset + directory.size !== archiveSize - (tail.length - from)) {
    throw new InvalidZip("its directory is damaged")
  }
  return directory
}

/** The entries of a directory; each must be stored, not compressed or encrypted. */
export const readDirectory = (bytes: Uint8Array, count: number): ReadonlyArray<ZipEntry> => {
  const view = viewOf(bytes)
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  const entries: Array<ZipEntry> = []
  let at = 0
  for (let left = count; left > 0; left--) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50) {
      throw new InvalidZip("its directory is damaged")
    }
    const named = view.getUint16(at + 28, true)
    const extra = view.getUint16(at + 30, true)
    const comment = view.getUint16(at + 32, true)
    const isPlain = view.getUint16(at + 10, true) === 0 && (view.getUint16(at + 8, true) & 1) === 0
    if (!isPlain) throw new InvalidZip("its files are compressed or encrypted")
    if (at + 46 + named + extra + comment > bytes.length) {
      throw new InvalidZip("its directory is damaged")
    }
    const name = utf8.decode(bytes.subarray(at + 46, at + 46 + named))
    let field = at + 46 + named + 4
    const number = (place: number) => {
      const value = view.getUint32(at + place, true)
      if (value !== 0xffff_ffff) return value
      const large = wide(view, field)
      field += 8
      return large
    }
    const size = number(24)
    if (number(20) !== size) throw new InvalidZip(`the size of ${name} is unclear`)
    entries.push({ name, size, crc: view.getUint32(at + 16, true), offset: number(42) })
    at += 46 + named + extra + comment
  }
  if (at !== bytes.length) throw new InvalidZip("its directory is damaged")
  return entries
}

/** Where the content of an entry begins, by the 30 bytes at its offset. */
export const contentAt = (header: Uint8Array, { offset, name }: ZipEntry): number => {
  const view = viewOf(header)
  if (view.getUint32(0, true) !== 0x04034b50) throw new InvalidZip(`${name} is damaged`)
  return offset + 30 + view.getUint16(26, true) + view.getUint16(28, true)
}
