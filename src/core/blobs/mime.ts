/** The type of unrecognized bytes. */
export const unknownType = "application/octet-stream"

const token = "[a-z0-9!#$&^_.+-]{1,127}"
const essence = new RegExp(`^${token}/${token}$`)

/**
 * The MIME type of a Content-Type header, without parameters; unknown if it is missing, a wildcard
 * or invalid.
 */
export const declaredType = (header: string | null): string => {
  const type = header?.split(";", 1)[0]?.trim().toLowerCase() ?? ""
  return essence.test(type) ? type : unknownType
}

/**
 * Formats that a general container can hold, by the container's type.
 *
 * The first bytes show only the container, so a declared type from this list wins.
 */
const specialCases: ReadonlyMap<string, RegExp> = new Map([
  [
    "application/zip",
    /^(?:[a-z]+\/(?:.+\+zip|vnd\..+)|application\/(?:java-archive|msix|appx|x-xpinstall|x-cbz)|model\/3mf)$/
  ],
  ["application/gzip", /^[a-z]+\/(?:.+\+gzip|x-(?:compressed-tar|gtar|tgz|tar-gz))$/],
  ["application/ogg", /^(?:audio|video)\/(?:x-)?(?:ogg|opus|vorbis|speex|theora|flac)(?:\+ogg)?$/],
  [
    "video/mp4",
    /^(?:(?:audio|application)\/mp4|audio\/(?:x-)?m4[abpr]|video\/(?:x-m4v|3gpp2?|quicktime|mj2|iso\.segment)|image\/(?:avif|hei[cf]|x-canon-cr3)(?:-sequence)?)$/
  ],
  ["image/heif", /^image\/(?:avif|heic)$/],
  ["image/heif-sequence", /^image\/(?:avif|heic-sequence)$/],
  ["video/webm", /^audio\/webm$/],
  ["video/x-matroska", /^(?:audio|video)\/(?:x-)?matroska(?:-3d)?$/],
  ["image/tiff", /^image\/(?:x-.+|dng|vnd\..+)$/],
  ["application/pdf", /^application\/(?:vnd\.adobe\.)?illustrator$/]
])

/**
 * The type to store a blob under: what its bytes show, or else what the uploader declares.
 *
 * A general container (ZIP) never overrides a declared format inside it (EPUB).
 */
export const storedType = (sniffed: string | undefined, declared: string): string =>
  sniffed === undefined || specialCases.get(sniffed)?.test(declared) === true ? declared : sniffed
