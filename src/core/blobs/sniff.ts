/**
 * How many of the first bytes `sniff` needs: two packets of an MPEG transport stream and a byte.
 */
export const sniffLength = 377

/**
 * Types with fixed bytes: [type, bytes as Latin-1, offset]. Contains no type that a browser would
 * run.
 */
const signatures: ReadonlyArray<readonly [type: string, bytes: string, offset?: number]> = [
  ["image/jpeg", "\xff\xd8\xff"],
  ["image/png", "\x89PNG\r\n\x1a\n"],
  ["image/gif", "GIF87a"],
  ["image/gif", "GIF89a"],
  ["image/webp", "WEBP", 8],
  ["image/tiff", "II*\0"],
  ["image/tiff", "MM\0*"],
  ["image/jxl", "\0\0\0\x0cJXL \r\n\x87\n"],
  ["video/mpeg", "\0\0\x01\xba"],
  ["video/mpeg", "\0\0\x01\xb3"],
  ["video/x-msvideo", "AVI ", 8],
  ["video/x-flv", "FLV\x01"],
  ["video/quicktime", "moov", 4],
  ["video/quicktime", "mdat", 4],
  ["video/quicktime", "wide", 4],
  ["audio/wav", "WAVE", 8],
  ["audio/flac", "fLaC"],
  ["audio/mpeg", "ID3"],
  ["application/pdf", "%PDF-"],
  ["application/zip", "PK\x03\x04"],
  ["application/gzip", "\x1f\x8b\x08"],
  ["text/vtt", "WEBVTT"],
  ["text/vtt", "\xef\xbb\xbfWEBVTT"]
]

const riff = new Set(["image/webp", "video/x-msvideo", "audio/wav"])

/** Brands of ISO media files that are not plain MP4 video. */
const brands: ReadonlyMap<string, string> = new Map([
  ["avif", "image/avif"],
  ["avis", "image/avif"],
  ["heic", "image/heic"],
  ["heix", "image/heic"],
  ["hevc", "image/heic-sequence"],
  ["hevx", "image/heic-sequence"],
  ["mif1", "image/heif"],
  ["msf1", "image/heif-sequence"],
  ["qt  ", "video/quicktime"],
  ["M4A ", "audio/mp4"],
  ["M4B ", "audio/mp4"],
  ["3gp4", "video/3gpp"],
  ["3gp5", "video/3gpp"],
  ["3gp6", "video/3gpp"],
  ["3g2a", "video/3gpp2"]
])

const text = (bytes: Uint8Array, from: number, to: number) =>
  String.fromCharCode(...bytes.subarray(from, to))

/** The MIME type that a file's first bytes show; undefined if they show none. */
export const sniff = (first: Uint8Array): string | undefined => {
  for (const [type, bytes, offset = 0] of signatures) {
    if (text(first, offset, offset + bytes.length) !== bytes) continue
    if (riff.has(type) && text(first, 0, 4) !== "RIFF") continue
    return type
  }
  return (
    isoMedia(first) ?? matroska(first) ?? ogg(first) ?? transportStream(first) ?? mpegAudio(first)
  )
}

/**
 * ISO base media (MP4, QuickTime, HEIF): the major brand, or for HEIF's general brands the first
 * specific one.
 */
const isoMedia = (first: Uint8Array): string | undefined => {
  if (first.length < 12 || text(first, 4, 8) !== "ftyp") return undefined
  const major = brands.get(text(first, 8, 12))
  if (major !== "image/heif") return major ?? "video/mp4"
  const end = Math.min(((first[2] ?? 0) << 8) | (first[3] ?? 0), first.length)
  for (let at = 16; at + 4 <= end; at += 4) {
    const compatible = brands.get(text(first, at, at + 4))
    if (compatible === "image/avif" || compatible === "image/heic") return compatible
  }
  return major
}

/** Matroska and WebM: the same container, distinguished by the DocType in its header. */
const matroska = (first: Uint8Array): string | undefined => {
  if (text(first, 0, 4) !== "\x1a\x45\xdf\xa3") return undefined
  const header = text(first, 4, 64)
  const docType = header.indexOf("\x42\x82")
  if (docType === -1) return undefined
  // A one-byte length follows the element's id.
  return header.startsWith("webm", docType + 3) ? "video/webm" : "video/x-matroska"
}

/** Ogg: the type of the first packet on the first page. */
const ogg = (first: Uint8Array): string | undefined => {
  if (text(first, 0, 4) !== "OggS") return undefined
  if (text(first, 28, 35) === "\x80theora") return "video/ogg"
  const packet = text(first, 28, 36)
  const audio = ["\x01vorbis", "OpusHead", "\x7fFLAC", "Speex   "]
  return audio.some((start) => packet.startsWith(start)) ? "audio/ogg" : "application/ogg"
}

/** MPEG transport stream: a sync byte at the start of each packet of 188 bytes. */
const transportStream = (first: Uint8Array): string | undefined =>
  first[0] === 0x47 && first[188] === 0x47 && first[376] === 0x47 ? "video/mp2t" : undefined

/** MPEG audio without a tag: a frame header whose fields are all valid. */
const mpegAudio = (first: Uint8Array): string | undefined => {
  const [a, b, c] = first
  if (a !== 0xff || b === undefined || c === undefined || (b & 0xe0) !== 0xe0) return undefined
  const version = (b >> 3) & 3
  const layer = (b >> 1) & 3
  if (version >= 2 && layer === 0)
    return (b & 0xf0) === 0xf0 && (c >> 2) % 16 < 13 ? "audio/aac" : undefined
  const bitrate = c >> 4
  const rate = (c >> 2) & 3
  return version !== 1 && layer === 1 && bitrate !== 0 && bitrate !== 15 && rate !== 3
    ? "audio/mpeg"
    : undefined
}
