/** The names of a backup's objects: everything of an account lies below one prefix, and so does everything of a run. */

/** The mark of a target: which server's backups it holds. */
export const markKey = "nacre-backup.json"

/** The export of a restored account, while a drill compares it; never in a real store. */
export const drillKey = (did: string): string => `drill/${did}.car`

/** The id of a run that begins at this moment (ms): ids sort by time. */
export const runId = (millis: number): string =>
  new Date(millis)
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replaceAll(/[-:]/g, "")

const runPattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

/** When a run began, in milliseconds; undefined for what is no run's id. */
export const runTime = (run: string): number | undefined => {
  const [, ...parts] = runPattern.exec(run) ?? []
  if (parts.length !== 6) return undefined
  const [year, month, day, hour, minute, second] = parts
  const millis = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(millis) ? undefined : millis
}

/** Everything of a run lies below this. */
export const runPrefix = (run: string): string => `runs/${run}/`

/** Written last: a run without it is not whole. */
export const runKey = (run: string): string => `${runPrefix(run)}run.json`

/** A page of the accounts that a run found, from 1. */
export const accountsPageKey = (run: string, page: number): string =>
  `${runPrefix(run)}accounts-${numbered(page)}.json`

/** A page of the host's own rows, sealed, from 1. */
export const hostPageKey = (run: string, page: number): string =>
  `${runPrefix(run)}host-${numbered(page)}.sealed`

/** Everything of an account lies below this. */
export const accountPrefix = (did: string): string => `accounts/${did}/`

/** An account as one run found it lies below this. */
export const versionPrefix = (did: string, run: string): string => `${accountPrefix(did)}${run}/`

/** Written last: a version without it is not whole. */
export const accountKey = (did: string, run: string): string =>
  `${versionPrefix(did, run)}account.json`

export const carKey = (did: string, run: string): string => `${versionPrefix(did, run)}repo.car`

export const privateKey = (did: string, run: string): string =>
  `${versionPrefix(did, run)}private.sealed`

/** A page of the list of blobs, from 1. */
export const blobsPageKey = (did: string, run: string, page: number): string =>
  `${versionPrefix(did, run)}blobs-${numbered(page)}.json`

export const blobsPrefix = (did: string): string => `${accountPrefix(did)}blobs/`

/** A blob, once for all versions of its account. */
export const blobKey = (did: string, cid: string): string => `${blobsPrefix(did)}${cid}`

const numbered = (page: number): string => String(page).padStart(4, "0")
