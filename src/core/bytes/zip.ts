import { crc32 } from "node:zlib"

/** A file of an archive: its name (UTF-8, `/` between folders) and its size in bytes. */
export interface ZipFile {
  readonly name: string
  readonly size: number
}

/** The largest number in a field of 32 bits, and of 16; larger ones go into ZIP64 fields. */
const max32 = 0xffff_ffff
const max16 = 0xffff

const utf8 = new TextEncoder()

/** Writes numbers in little-endian order, each with its bytes: 2, 4 or 8. */
const fields = (...numbers: ReadonlyArray<readonly [value: number, bytes: 2 | 4 | 8]>) => {
  const view = new DataView(new ArrayBuffer(numbers.reduce((sum, [, bytes]) => sum + bytes, 0)))
  let at = 0
  for (const [value, bytes] of numbers) {
    if (bytes === 2) view.setUint16(at, value, true)
    else if (bytes === 4) view.setUint32(at, value, true)
    else view.setBigUint64(at, BigInt(value), true)
    at += bytes
  }
  return new Uint8Array(view.buffer)
}

const joined = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** The sizes follow the content (bit 3), and the name is UTF-8 (bit 11). */
const flags = 0x0808

/** Version 4.5, which knows ZIP64. */
const version = (isLarge: boolean) => (isLarge ? 45 : 20)

/** A moment in MS-DOS form, in UTC: time, then date. */
const dosTime = (millis: number): readonly [time: number, date: number] => {
  const at = new Date(Math.max(millis, Date.UTC(1980, 0, 1)))
  return [
    (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate()
  ]
}

const descriptorLength = (size: number) => (size >= max32 ? 24 : 16)

const extraLength = ({ size, offset }: { readonly size: number; readonly offset: number }) => {
  const fields = (size >= max32 ? 16 : 0) + (offset >= max32 ? 8 : 0)
  return fields === 0 ? 0 : 4 + fields
}

const needs64 = (count: number, start: number, size: number) =>
  count >= max16 || start >= max32 || size >= max32

/** The length of an archive of these files, in bytes. */
export const zipLength = (files: Iterable<ZipFile>): number => {
  let offset = 0
  let directory = 0
  let count = 0
  for (const { name, size } of files) {
    const named = utf8.encode(name).length
    directory += 46 + named + extraLength({ size, offset })
    offset += 30 + named + size + descriptorLength(size)
    count++
  }
  return offset + directory + (needs64(count, offset, directory) ? 76 : 0) + 22
}

interface Written extends ZipFile {
  readonly offset: number
  readonly crc: number
}

/**
 * Writes an archive of stored files piece by piece; the caller sends what each method returns.
 *
 * Holds names and sizes only. Without the last piece of `end` no program opens the archive.
 * Format: APPNOTE.TXT of PKWARE, with ZIP64 where a number needs it.
 */
export class ZipWriter {
  readonly #time: readonly [number, number]
  readonly #written: Array<Written> = []
  #offset = 0
  #open: (ZipFile & { readonly offset: number; crc: number; left: number }) | undefined

  constructor(millis: number) {
    this.#time = dosTime(millis)
  }

  /** Begins a file; its content must have exactly the announced size. */
  begin(file: ZipFile): Uint8Array {
    if (this.#open !== undefined) throw new Error("the file before isn't complete")
    const name = utf8.encode(file.name)
    this.#open = { ...file, offset: this.#offset, crc: 0, left: file.size }
    const [time, date] = this.#time
    this.#offset += 30 + name.length + file.size + descriptorLength(file.size)
    return joined(
      fields(
        [0x04034b50, 4],
        [version(file.size >= max32), 2],
        [flags, 2],
        [0, 2],
        [time, 2],
        [date, 2],
        [0, 4],
        [0, 4],
        [0, 4],
        [name.length, 2],
        [0, 2]
      ),
      name
    )
  }

  /** Counts the next piece of the file's content, which the caller sends as it is. */
  content(piece: Uint8Array): void {
    const open = this.#open
    if (open === undefined || piece.length > open.left) throw new Error("more than was announced")
    open.crc = crc32(piece, open.crc)
    open.left -= piece.length
  }

  /** Completes the file. */
  complete(): Uint8Array {
    const open = this.#open
    if (open === undefined || open.left > 0) throw new Error("less than was announced")
    const { name, size, offset, crc } = open
    this.#open = undefined
    this.#written.push({ name, size, offset, crc })
    const width = size >= max32 ? 8 : 4
    return fields([0x08074b50, 4], [crc, 4], [size, width], [size, width])
  }

  /** The directory of the archive, in pieces. */
  *end(): Generator<Uint8Array> {
    const start = this.#offset
    let length = 0
    for (const file of this.#written) {
      const piece = this.#listed(file)
      length += piece.length
      yield piece
    }
    const count = this.#written.length
    const isLarge = needs64(count, start, length)
    if (isLarge) {
      yield fields(
        [0x06064b50, 4],
        [44, 8],
        [45, 2],
        [45, 2],
        [0, 4],
        [0, 4],
        [count, 8],
        [count, 8],
        [length, 8],
        [start, 8]
      )
      yield fields([0x07064b50, 4], [0, 4], [start + length, 8], [1, 4])
    }
    const short = isLarge ? max16 : count
    yield fields(
      [0x06054b50, 4],
      [0, 2],
      [0, 2],
      [short, 2],
      [short, 2],
      [isLarge ? max32 : length, 4],
      [isLarge ? max32 : start, 4],
      [0, 2]
    )
  }

  #listed({ name, size, offset, crc }: Written): Uint8Array {
    const [time, date] = this.#time
    const bytes = utf8.encode(name)
    const isLarge = size >= max32
    const isFar = offset >= max32
    const extra = extraLength({ size, offset })
    return joined(
      fields(
        [0x02014b50, 4],
        [version(extra > 0), 2],
        [version(extra > 0), 2],
        [flags, 2],
        [0, 2],
        [time, 2],
        [date, 2],
        [crc, 4],
        [isLarge ? max32 : size, 4],
        [isLarge ? max32 : size, 4],
        [bytes.length, 2],
        [extra, 2],
        [0, 2],
        [0, 2],
        [0, 2],
        [0, 4],
        [isFar ? max32 : offset, 4]
      ),
      bytes,
      extra === 0
        ? new Uint8Array()
        : fields(
            [1, 2],
            [extra - 4, 2],
            ...(isLarge
              ? ([
                  [size, 8],
                  [size, 8]
                ] as const)
              : []),
            ...(isFar ? ([[offset, 8]] as const) : [])
          )
    )
  }
}
