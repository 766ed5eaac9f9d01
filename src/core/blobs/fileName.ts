/** The file extensions of types that people upload, without the dot. */
const extensions: Readonly<Record<string, string>> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/gif": "gif",
  "image/webp": "webp",
  "image/avif": "avif",
  "image/heic": "heic",
  "image/heif": "heif",
  "image/tiff": "tif",
  "image/jxl": "jxl",
  "image/svg+xml": "svg",
  "video/mp4": "mp4",
  "video/quicktime": "mov",
  "video/webm": "webm",
  "video/mpeg": "mpg",
  "audio/mpeg": "mp3",
  "audio/mp4": "m4a",
  "audio/ogg": "ogg",
  "audio/wav": "wav",
  "audio/flac": "flac",
  "application/pdf": "pdf",
  "application/zip": "zip",
  "application/json": "json",
  "application/vnd.ipld.car": "car",
  "text/plain": "txt",
  "text/vtt": "vtt",
  "text/html": "html",
  "text/css": "css",
  "text/markdown": "md"
}

/** A blob's file name: its CID, and the extension of its type. */
export const blobFileName = ({
  cid,
  mimeType
}: {
  readonly cid: string
  readonly mimeType: string
}): string => `${cid}.${Object.hasOwn(extensions, mimeType) ? extensions[mimeType] : "bin"}`
