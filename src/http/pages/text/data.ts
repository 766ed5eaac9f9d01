import { type Html, html } from "../html.ts"
import { counted } from "./common.ts"

/** A size in bytes for people: “980 kB”, “1.2 MB”. */
export const sizeInWords = (bytes: number): string => {
  if (bytes < 1000) return `${bytes} bytes`
  const units = ["kB", "MB", "GB", "TB"]
  let value = bytes / 1000
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

/** `/account/export`. */
export const exporting = {
  title: "Download your data",
  lead: "Everything in one ZIP file: your posts, likes and follows, your pictures and videos, and your preferences. You can import it into this account again, or on another server.",
  leadParts: (parts: number) =>
    `Everything in ${parts} ZIP files: your posts, likes and follows, your pictures and videos, and your preferences. Each file is complete, so an interrupted download costs only that file. Keep all of them: an import takes them together.`,
  download: (size: string) => `Download everything (${size})`,
  part: (part: number) => `Part ${part}`,
  partBelow: (first: boolean, blobs: number, size: string) =>
    `${first ? "Records, preferences, " : ""}${counted(blobs, "file", "files")}, ${size}`,
  records: "plus your records",
  secret:
    "The file contains your preferences, such as muted words, which nobody else can see. It contains no passwords and no keys.",
  keyHint: (href: string): Html =>
    html`To restore the file on another server when this one is gone, you also need a
      <a href="${href}">recovery key</a>.`,
  repo: "Only your records",
  repoLead: "Your posts, likes and follows as apps and other servers read them (CAR).",
  downloadRepo: "Download records only (CAR)",
  deactivated: "Your account is deactivated, so apps can’t read it. You can still download it here."
} as const

/** `README.txt` in an archive. */
export const archiveReadme = (of: {
  readonly handle: string
  readonly did: string
  readonly server: string
  readonly day: string
}): string =>
  `The account ${of.handle} (${of.did})
from ${of.server}, ${of.day}

repo.car          all records with the account's signature, for another server to import
records/          the same records to read: one JSON document a line, a file for each collection
blobs/            pictures, videos and other files, named by their content (CID)
preferences.json  the preferences that apps keep for you, such as muted words
manifest.json     every file with its size and SHA-256 digest

An archive in several parts: unpack all of them into one folder.
A file in the folder "lost-" couldn't be read on the server and contains only zeros.
Keep this in a safe place. It contains your preferences, but no passwords and no keys.
`
