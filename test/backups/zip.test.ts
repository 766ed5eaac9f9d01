import { filesIn } from "../support/zipFiles.ts"
import { assert, describe, it } from "@effect/vitest"
import { type ZipFile, zipLength, ZipWriter } from "../../src/core/bytes/zip.ts"

const written = (files: ReadonlyArray<ZipFile>, content: (file: ZipFile) => Uint8Array) => {
  const zip = new ZipWriter(Date.UTC(2026, 1, 3, 4, 5, 6))
  const pieces: Array<Uint8Array> = []
  for (const file of files) {
    pieces.push(zip.begin(file))
    zip.content(content(file))
    pieces.push(content(file), zip.complete())
  }
  return Buffer.concat([...pieces, ...zip.end()])
}

const sizesIn = (bytes: Uint8Array) =>
  [...filesIn(bytes)].map(([name, { length: size }]) => ({ name, size }))

describe("a ZIP archive", () => {
  it("a ZIP archive has the length that was computed, and its files are read back", () => {
    const files = [
      { name: "README.txt", size: 5 },
      { name: "blobs/Muschel 🐚.png", size: 70_000 },
      { name: "empty", size: 0 }
    ]
    const bytes = written(files, ({ size }) => new Uint8Array(size).fill(7))
    assert.strictEqual(bytes.length, zipLength(files))
    assert.deepStrictEqual(sizesIn(bytes), files)
  })

  it("a ZIP archive of more than 65,535 files is read as ZIP64", () => {
    const files = Array.from({ length: 65_540 }, (_, n) => ({ name: `f${n}`, size: 1 }))
    const bytes = written(files, () => Uint8Array.of(1))
    assert.strictEqual(bytes.length, zipLength(files))
    const found = sizesIn(bytes)
    assert.strictEqual(found.length, files.length)
    assert.deepStrictEqual(found.at(-1), files.at(-1))
  })

  it("a ZIP archive beyond 4 GB has ZIP64 fields for its sizes and offsets", () => {
    const large = { name: "large", size: 0x1_0000_0010 }
    const after = { name: "after", size: 1 }
    // Both sizes, and the offset of the file after it; the end of the archive is far, too.
    const local = 30 + 5 + large.size + 24 + (30 + 5 + 1 + 16)
    assert.strictEqual(zipLength([large, after]), local + (46 + 5 + 20) + (46 + 5 + 12) + 76 + 22)
  })

  it("a ZIP archive that is cut off or changed isn't read", () => {
    const bytes = written([{ name: "a", size: 3 }], () => Uint8Array.of(1, 2, 3))
    for (let length = 0; length < bytes.length; length += 1) {
      assert.throws(() => filesIn(bytes.subarray(0, length)), /incomplete|damaged|bounds/)
    }
    const changed = Buffer.from(bytes)
    changed[31] = 9
    assert.throws(() => filesIn(changed), "a is damaged")
  })

  it("a file that is shorter or longer than announced fails", () => {
    const zip = new ZipWriter(0)
    zip.begin({ name: "a", size: 2 })
    zip.content(Uint8Array.of(1))
    assert.throws(() => zip.complete(), "less than was announced")
    assert.throws(() => zip.content(Uint8Array.of(1, 2)), "more than was announced")
  })
})
