import { runInThisContext } from "node:vm"
import { crc32, deflateRawSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { type ZipFile, zipLength, ZipWriter } from "../../src/core/bytes/zip.ts"
import { zipScript } from "../../src/http/pages/account/archive/importScript.ts"
import { archiveImportScript } from "../../src/http/pages/text/archiveImport.ts"
import { filesIn, zipOf } from "../support/zipFiles.ts"

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

let made: { readonly files: ReadonlyArray<ZipFile>; readonly bytes: Buffer } | undefined

/** An archive with more files than its 16-bit count can hold. */
const many = () => {
  const files = Array.from({ length: 65_540 }, (_, n) => ({ name: `f${n}`, size: 1 }))
  made ??= { files, bytes: written(files, () => Uint8Array.of(1)) }
  return made
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
    const { files, bytes } = many()
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

/** The reader of the import page's script. */
const reader: {
  open(file: File): Promise<Map<string, object>>
  contentOf(entry: object | undefined): Promise<Blob>
} = runInThisContext(`((text) => { ${zipScript}; return { open, contentOf } })`)(
  archiveImportScript
)

const fileOf = (bytes: Uint8Array) => new File([bytes as Uint8Array<ArrayBuffer>], "a.zip")

/** The files that the script reads from an archive, or the sentence that it shows instead. */
const readBy = async (bytes: Uint8Array) => {
  try {
    const files: Record<string, string> = {}
    for (const [name, entry] of await reader.open(fileOf(bytes))) {
      files[name] = await (await reader.contentOf(entry)).text()
    }
    return files
  } catch (error) {
    return (error as Error).message
  }
}

/** Packs one file as other programs do: deflated, in a folder. */
const deflated = (name: string, content: string, { bytes = Buffer.from(content) } = {}) => {
  const packed = deflateRawSync(bytes)
  const named = Buffer.from(name)
  const local = Buffer.alloc(30)
  local.writeUInt32BE(0x504b0304, 0)
  local.writeUInt16LE(named.length, 26)
  const listed = Buffer.alloc(46)
  listed.writeUInt32BE(0x504b0102, 0)
  listed.writeUInt16LE(8, 10)
  listed.writeUInt32LE(crc32(content), 16)
  listed.writeUInt32LE(packed.length, 20)
  listed.writeUInt32LE(Buffer.byteLength(content), 24)
  listed.writeUInt16LE(named.length, 28)
  const end = Buffer.alloc(22)
  end.writeUInt32BE(0x504b0506, 0)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(46 + named.length, 12)
  end.writeUInt32LE(30 + named.length + packed.length, 16)
  return Buffer.concat([local, named, packed, listed, named, end])
}

describe("the ZIP reader of the import page", () => {
  const files = {
    "manifest.json": "{}",
    "repo.car": "a repo",
    "blobs/abc.png": "a picture",
    empty: ""
  }

  it("the page's script reads an archive of the server, also one with many files", async () => {
    assert.deepStrictEqual(await readBy(zipOf(files)), files)
    const found = await reader.open(fileOf(many().bytes))
    assert.strictEqual(found.size, many().files.length)
    assert.strictEqual(await (await reader.contentOf(found.get("f65539"))).text(), "\x01")
  })

  it("the page's script reads an archive that another program has packed again", async () => {
    const content = "a picture ".repeat(1000)
    const expected = { "blobs/abc.png": content }
    assert.deepStrictEqual(await readBy(deflated("alice/blobs/abc.png", content)), expected)
    const mac = { "alice/repo.car": "a repo", "__MACOSX/alice/._repo.car": "x", "alice/": "" }
    assert.deepStrictEqual(await readBy(zipOf(mac)), { "repo.car": "a repo" })
  })

  it("the page's script refuses odd names, and what is cut off, changed or larger than it says", async () => {
    const whole = zipOf(files)
    const changed = Buffer.from(whole)
    changed[whole.indexOf("a picture")] = 0x41
    const encrypted = Buffer.from(whole)
    encrypted.writeUInt16LE(1, whole.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 8)
    const bad: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
      parent: [zipOf({ ...files, "../escaped": "x" }), /contains “\.\.\/escaped”/],
      inside: [zipOf({ ...files, "blobs/../../escaped.png": "x" }), /contains “blobs/],
      absolute: [zipOf({ ...files, "/tmp/escaped": "x" }), /contains “\/tmp/],
      windows: [zipOf({ ...files, "blobs\\..\\x.png": "x" }), /contains “blobs/],
      drive: [zipOf({ ...files, "C:x": "x" }), /contains “C:x/],
      twice: [zipOf({ ...files, "alice/repo.car": "another" }), /damaged/],
      cut: [whole.subarray(0, -1), /incomplete/],
      half: [whole.subarray(0, whole.length / 2), /incomplete/],
      changed: [changed, /damaged/],
      encrypted: [encrypted, /damaged/],
      bomb: [deflated("repo.car", "small", { bytes: Buffer.alloc(1_000_000) }), /damaged/],
      short: [deflated("repo.car", "larger than it is", { bytes: Buffer.from("x") }), /damaged/],
      page: [Buffer.from("<!doctype html><title>Sign in</title>".repeat(4)), /isn’t an archive/],
      none: [Buffer.from("no"), /isn’t an archive/],
      empty: [Buffer.alloc(0), /isn’t an archive/]
    }
    for (const [name, [bytes, sentence]] of Object.entries(bad)) {
      const said = await readBy(bytes)
      assert.match(typeof said === "string" ? said : "read", sentence, name)
      assert.match(typeof said === "string" ? said : "", /a\.zip/, name)
    }
  })

  it("the page's script never fails in another way, whatever byte of an archive is missing or changed", async () => {
    const whole = zipOf({ "repo.car": "a repo", "blobs/abc.png": "x" })
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole)
      changed[at]! ^= 0xff
      for (const bytes of [whole.subarray(0, at), changed]) {
        const said = await readBy(bytes)
        if (typeof said === "string") assert.match(said, /a\.zip/, String(at))
      }
    }
  })
})
