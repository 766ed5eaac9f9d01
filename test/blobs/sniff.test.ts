import { assert, describe, it } from "@effect/vitest"
import { declaredType, storedType } from "../../src/core/blobs/mime.ts"
import { sniff, sniffLength } from "../../src/core/blobs/sniff.ts"

/** The start of a file as Latin-1, padded with zeros. */
const file = (start: string): Uint8Array => {
  const bytes = new Uint8Array(sniffLength)
  for (let i = 0; i < start.length; i++) bytes[i] = start.charCodeAt(i)
  return bytes
}

const ftyp = (major: string, ...compatible: Array<string>) => {
  const size = 16 + compatible.length * 4
  return `\0\0\0${String.fromCharCode(size)}ftyp${major}\0\0\0\0${compatible.join("")}`
}

const ebml = (docType: string) =>
  `\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82${String.fromCharCode(0x80 + docType.length)}${docType}`

const oggPage = (packet: string) => `OggS${"\0".repeat(24)}${packet}`

const transport = Array.from({ length: 3 }, () => `G${"\x11".repeat(187)}`).join("")

const known: ReadonlyArray<readonly [string, string]> = [
  ["\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"],
  ["\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"],
  ["GIF89a", "image/gif"],
  ["GIF87a", "image/gif"],
  ["RIFF\x10\0\0\0WEBPVP8 ", "image/webp"],
  ["RIFF\x10\0\0\0WAVEfmt ", "audio/wav"],
  ["RIFF\x10\0\0\0AVI LIST", "video/x-msvideo"],
  [ftyp("avif", "mif1"), "image/avif"],
  [ftyp("heic", "mif1"), "image/heic"],
  [ftyp("mif1", "mif1", "avif"), "image/avif"],
  [ftyp("mif1", "miaf", "heic"), "image/heic"],
  [ftyp("mif1", "miaf"), "image/heif"],
  [ftyp("isom", "iso2", "avc1"), "video/mp4"],
  [ftyp("mp42"), "video/mp4"],
  [ftyp("iso5", "dash"), "video/mp4"],
  [ftyp("qt  "), "video/quicktime"],
  ["\0\0\0\x08wide\0\0\0\0mdat", "video/quicktime"],
  [ftyp("M4A ", "isom"), "audio/mp4"],
  [ftyp("3gp5"), "video/3gpp"],
  [ebml("webm"), "video/webm"],
  [ebml("matroska"), "video/x-matroska"],
  ["\0\0\x01\xba\x44", "video/mpeg"],
  [transport, "video/mp2t"],
  [oggPage("OpusHead"), "audio/ogg"],
  [oggPage("\x01vorbis"), "audio/ogg"],
  [oggPage("\x80theora"), "video/ogg"],
  ["fLaC\0\0\0\x22", "audio/flac"],
  ["ID3\x04\0", "audio/mpeg"],
  ["\xff\xfb\x90\x64", "audio/mpeg"],
  ["\xff\xf1\x50\x80", "audio/aac"],
  ["%PDF-1.7", "application/pdf"],
  ["PK\x03\x04\x14", "application/zip"],
  ["\x1f\x8b\x08\0", "application/gzip"],
  ["WEBVTT\n\n00:00", "text/vtt"],
  ["\xef\xbb\xbfWEBVTT\n", "text/vtt"]
]

const unknown: ReadonlyArray<readonly [string, string]> = [
  ["HTML", "<!DOCTYPE html><script>alert(1)</script>"],
  ["SVG", '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'],
  ["JavaScript", "alert(1)"],
  ["WebAssembly", "\0asm\x01\0\0\0"],
  ["an unknown RIFF", "RIFF\x10\0\0\0ACON"],
  ["WEBP without its RIFF", "RUFF\x10\0\0\0WEBP"],
  ["two bytes of a JPEG", "\xff\xd8"],
  ["a frame header that makes no sense", "\xff\xff\xff"],
  ["one packet of a transport stream", `G${"\x11".repeat(187)}H`],
  ["zeros", ""]
]

describe("sniff", () => {
  for (const [start, type] of known) {
    it(`sniff recognizes ${type} by ${JSON.stringify(start.slice(0, 16))}`, () => {
      assert.strictEqual(sniff(file(start)), type)
    })
  }

  for (const [what, start] of unknown) {
    it(`sniff recognizes nothing in ${what}`, () => {
      assert.isUndefined(sniff(file(start)))
    })
  }

  it("sniff reads no further than the given bytes", () => {
    for (const [start] of known) {
      for (let length = 0; length < 40; length++) sniff(file(start).subarray(0, length))
    }
    assert.isUndefined(sniff(new Uint8Array(0)))
  })
})

describe("the type of a blob", () => {
  it("declaredType returns the header's type in lower case, without parameters", () => {
    assert.strictEqual(declaredType("Text/Plain; charset=utf-8"), "text/plain")
    assert.strictEqual(
      declaredType("application/vnd.ms-excel.sheet+xml"),
      "application/vnd.ms-excel.sheet+xml"
    )
  })

  it("declaredType returns the unknown type for a missing header, a wildcard or an invalid type", () => {
    for (const header of [
      null,
      "",
      "*/*",
      "image/*",
      "image",
      "a/b/c",
      "text/html\r\nx: y",
      "text /html",
      "/"
    ]) {
      assert.strictEqual(declaredType(header), "application/octet-stream", String(header))
    }
  })

  it("storedType prefers what the bytes show over the header", () => {
    assert.strictEqual(storedType("image/png", "text/html"), "image/png")
    assert.strictEqual(storedType(undefined, "text/vtt"), "text/vtt")
  })

  it("storedType keeps a declared format inside a general container", () => {
    for (const [container, special] of [
      ["application/zip", "application/epub+zip"],
      ["application/zip", "application/vnd.oasis.opendocument.text"],
      [
        "application/zip",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
      ],
      ["application/zip", "application/vnd.ms-excel.sheet.macroenabled.12"],
      ["application/zip", "application/java-archive"],
      ["application/zip", "application/vnd.android.package-archive"],
      ["application/zip", "model/3mf"],
      ["application/gzip", "application/x-compressed-tar"],
      ["application/ogg", "audio/ogg"],
      ["video/mp4", "audio/mp4"],
      ["video/webm", "audio/webm"],
      ["video/x-matroska", "audio/x-matroska"],
      ["image/tiff", "image/x-adobe-dng"],
      ["application/pdf", "application/illustrator"]
    ] as const) {
      assert.strictEqual(storedType(container, special), special)
    }
  })

  it("storedType returns the container if the declared type can't be inside it", () => {
    for (const [container, declared] of [
      ["application/zip", "application/octet-stream"],
      ["application/zip", "text/html"],
      ["application/zip", "application/xhtml+xml"],
      ["application/zip", "application/javascript"],
      ["application/zip", "application/x-zip-compressed"],
      ["application/zip", "image/svg+xml"],
      ["application/gzip", "application/epub+zip"],
      ["video/mp4", "text/html"],
      ["image/png", "image/x-adobe-dng"]
    ] as const) {
      assert.strictEqual(storedType(container, declared), container)
    }
  })
})
