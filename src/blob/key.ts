/**
 * The store's key for a new upload: the account's folder and 16 random bytes.
 *
 * Random, for the CID is known only when the last byte has passed and the store can neither copy nor rename.
 */
export const blobKey = (did: string, random: Uint8Array): string => {
  let name = ""
  for (const byte of random) name += byte.toString(16).padStart(2, "0")
  return `blobs/${did}/${name}`
}
