/** The keys of a backup's objects: each account has a prefix, and each run has one. */

/**
 * The key of an object that replaces another under a new master key, which the mark names.
 *
 * The old object stays until the manifest names the new one.
 */
export const resealedKey = (key: string, mark: string): string =>
  key.replace(/(~[\w-]{8})?(\.\w+)$/, `~${mark.slice(0, 8)}$2`)

/** The key of the store's `Mark`. */
export const markKey = "nacre-backup.json"

/** The key of a restored account's export during a drill; it's never in a real store. */
export const drillKey = (did: string): string => `drill/${did}.car`

/** The id of a run that begins at a time (ms); ids sort by time. */
export const runId = (millis: number): string =>
  new Date(millis)
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replaceAll(/[-:]/g, "")

const runPattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

/** The start time of a run, in milliseconds; undefined for an invalid id. */
export const runTime = (run: string): number | undefined => {
  const [, ...parts] = runPattern.exec(run) ?? []
  if (parts.length !== 6) return undefined
  const [year, month, day, hour, minute, second] = parts
  const millis = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(millis) ? undefined : millis
}

/** The prefix of a run's objects. */
export const runPrefix = (run: string): string => `runs/${run}/`

/** The key of a run's manifest, which is written last: a run without it is incomplete. */
export const runKey = (run: string): string => `${runPrefix(run)}run.json`

/** The key of a page of a run's accounts, from 1. */
export const accountsPageKey = (run: string, page: number): string =>
  `${runPrefix(run)}accounts-${numbered(page)}.json`

/** The key of a page of the host's rows, sealed, from 1. */
export const hostPageKey = (run: string, page: number): string =>
  `${runPrefix(run)}host-${numbered(page)}.sealed`

/** The prefix of an account's objects. */
export const accountPrefix = (did: string): string => `accounts/${did}/`

/** The prefix of one version of an account. */
const versionPrefix = (did: string, run: string): string => `${accountPrefix(did)}${run}/`

/** The key of a version's manifest, which is written last: a version without it is incomplete. */
export const accountKey = (did: string, run: string): string =>
  `${versionPrefix(did, run)}account.json`

export const carKey = (did: string, run: string): string => `${versionPrefix(did, run)}repo.car`

export const privateKey = (did: string, run: string): string =>
  `${versionPrefix(did, run)}private.sealed`

/** The key of a page of a version's blobs, from 1. */
export const blobsPageKey = (did: string, run: string, page: number): string =>
  `${versionPrefix(did, run)}blobs-${numbered(page)}.json`

export const blobsPrefix = (did: string): string => `${accountPrefix(did)}blobs/`

/** The key of a blob, which all versions of its account share. */
export const blobKey = (did: string, cid: string): string => `${blobsPrefix(did)}${cid}`

const numbered = (page: number): string => String(page).padStart(4, "0")
