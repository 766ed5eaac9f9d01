import { existsSync } from "node:fs"
import { createHash } from "node:crypto"
import { join, relative, resolve } from "node:path"

/** Where a reference PDS keeps its data. */
export interface SourcePlaces {
  readonly accounts: string
  readonly sequencer: string
  readonly actors: string
  readonly blobs: string
  /** Blobs that were taken down. */
  readonly quarantine: string
}

/** The variables of a reference PDS. */
export type SourceVariables = Readonly<Record<string, string | undefined>>

/** The files of one account. */
export interface ActorPlaces {
  readonly store: string
  readonly key: string
}

/**
 * The places of a reference PDS's data.
 *
 * Its variables may name folders of a container (`/pds/blocks`), so a place below its data folder
 * is looked up below the given one.
 */
export const placesOf = (folder: string, variables: SourceVariables): SourcePlaces => {
  const inside = variables["PDS_DATA_DIRECTORY"]
  const place = (variable: string, usual: string): string => {
    const named = variables[variable]
    if (named === undefined) return join(folder, usual)
    const below = inside === undefined ? named : relative(inside, named)
    const moved = resolve(folder, below)
    return !below.startsWith("..") && existsSync(moved) ? moved : resolve(folder, named)
  }
  const blobs = place("PDS_BLOBSTORE_DISK_LOCATION", "blocks")
  return {
    accounts: place("PDS_ACCOUNT_DB_LOCATION", "account.sqlite"),
    sequencer: place("PDS_SEQUENCER_DB_LOCATION", "sequencer.sqlite"),
    actors: place("PDS_ACTOR_STORE_DIRECTORY", "actors"),
    blobs,
    quarantine: join(blobs, "quarantine")
  }
}

/** The files of an account. */
export const actorPlacesOf = ({ actors }: SourcePlaces, did: string): ActorPlaces => {
  const folder = join(actors, createHash("sha256").update(did).digest("hex").slice(0, 2), did)
  return { store: join(folder, "store.sqlite"), key: join(folder, "key") }
}
