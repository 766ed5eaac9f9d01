import { crc32 } from "node:zlib"
import { ZipWriter } from "../../src/core/bytes/zip.ts"
import { contentAt, directoryAt, readDirectory, zipTail } from "../../src/core/bytes/zipReader.ts"

/** The files of an archive by name; throws unless each matches its checksum. */
export const filesIn = (zip: Uint8Array): ReadonlyMap<string, Buffer> => {
  const { offset, size, count } = directoryAt(zip.subarray(-zipTail), zip.length)
  return new Map(
    readDirectory(zip.subarray(offset, offset + size), count).map((entry) => {
      const from = contentAt(zip.subarray(entry.offset, entry.offset + 30), entry)
      const content = Buffer.from(zip.subarray(from, from + entry.size))
      if (crc32(content) !== entry.crc) throw new Error(`${entry.name} is damaged`)
      return [entry.name, content]
    })
  )
}

/** An archive of these files, as the server writes it. */
export const zipOf = (files: Readonly<Record<string, string | Uint8Array>>): Buffer => {
  const zip = new ZipWriter(0)
  const pieces = Object.entries(files).flatMap(([name, content]) => {
    const bytes = Buffer.from(content)
    const begin = zip.begin({ name, size: bytes.length })
    zip.content(bytes)
    return [begin, bytes, zip.complete()]
  })
  return Buffer.concat([...pieces, ...zip.end()])
}
