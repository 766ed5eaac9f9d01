import { keepACopy } from "../host/vars.ts"

/** Says where the recovery key is. */
export const recoveryWords = (key: { readonly file: string } | undefined): string =>
  key === undefined
    ? "You have no recovery key, so only the server can change your identity."
    : `Your recovery key is in ${key.file}. Store the file somewhere safe, not on this server.`

/** Says which secrets were created. */
export const secretWords = (made: ReadonlyArray<string>, file: string): string =>
  made.length === 0
    ? `Kept the secrets in ${file}.`
    : `Created ${made.join(", ")} in ${file}, readable only by you.\n${keepACopy}`

/** The next steps, numbered. */
export const steps = (next: ReadonlyArray<string>): string =>
  next.length === 0
    ? "Nothing is left to do."
    : ["Next steps:", ...next.map((step, index) => `  ${index + 1}. ${step}`)].join("\n")
