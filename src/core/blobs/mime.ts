/** The type of bytes that nobody can name. */
export const unknownType = "application/octet-stream"

const token = "[a-z0-9!#$&^_.+-]{1,127}"
const essence = new RegExp(`^${token}/${token}$`)

/** The MIME type that a Content-Type header declares, without parameters; unknown for none, a wildcard, or nonsense. */
export const declaredType = (header: string | null): string => {
  const type = header?.split(";", 1)[0]?.trim().toLowerCase() ?? ""
  return essence.test(type) ? type : unknownType
}

/**
 * Formats that a general container can hold, by the container's own type.
 *
 * The first bytes name the container alone, so a declared type from this list is kept.
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
 * The type a blob is stored under: what its bytes tell, else what the uploader says.
 *
 * A general container (ZIP) never overrides a declared special case of it (EPUB).
 */
export const storedType = (sniffed: string | undefined, declared: string): string =>
  sniffed === undefined || specialCases.get(sniffed)?.test(declared) === true ? declared : sniffed
