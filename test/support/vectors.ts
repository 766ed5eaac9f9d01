import { createHash } from "node:crypto"
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import pinned from "./vectors.json" with { type: "json" }

const root = join(import.meta.dirname, "../..")

/** Fetches a file of the public repository; replaceable in tests. */
export type FetchFile = (url: string) => Promise<Uint8Array>

const fetchFile: FetchFile = async (url) => {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

/**
 * Fetches the vectors of one kind at the pinned commit into a folder; rejects a file with another
 * hash.
 */
export const fetchVectors = async (
  kind: string,
  folder: string,
  get: FetchFile = fetchFile
): Promise<void> => {
  const { repository, commit, sha256: hashes } = pinned
  // Another process may fetch the same files: each uses its own folder until all are complete.
  const draft = `${folder}.${process.pid}`
  try {
    for (const [path, hash] of Object.entries(hashes)) {
      if (!path.startsWith(`${kind}/`)) continue
      const url = `https://raw.githubusercontent.com/${repository}/${commit}/${path}`
      const bytes = await get(url)
      if (sha256(bytes) !== hash) throw new Error(`${url} has another hash than ${hash}`)
      const file = join(draft, path.slice(kind.length + 1))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, bytes)
    }
    if (!existsSync(folder)) renameSync(draft, folder)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

/**
 * The folder with the network's interop vectors of one kind.
 *
 * It is the folder in INTEROP_VECTORS or `../shared/vectors`, else the vectors are fetched once and
 * kept.
 */
export const vectorsOf = async (kind: string): Promise<string> => {
  const given = process.env["INTEROP_VECTORS"]
  const beside = given || join(root, "../shared/vectors")
  if (given || existsSync(beside)) return join(beside, kind)
  const kept = join(root, "node_modules/.cache/interop-vectors", pinned.commit, kind)
  if (existsSync(kept)) return kept
  await fetchVectors(kind, kept).catch((cause: unknown) => {
    throw new Error(
      "The network's interop vectors are not here and cannot be fetched. " +
        `Clone https://github.com/${pinned.repository} and name its folder in INTEROP_VECTORS.`,
      { cause }
    )
  })
  return kept
}
