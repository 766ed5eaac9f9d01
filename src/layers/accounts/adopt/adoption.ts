import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import * as SqlStorageNode from "../../host/sql/SqlStorageNode.ts"
import * as AlarmsSqlite from "../../host/AlarmsSqlite.ts"
import { EventLog } from "../../stream/EventLog.ts"
import { continueStream, makeTables } from "./adoptHost.ts"
import { Unadoptable } from "./adoptRepo.ts"

/** The file that says that a folder is not complete yet; the server doesn't start while it is there. */
export const markerOf = (folder: string): string => join(folder, "adopting.json")

/** The note of an adoption that has begun. */
interface Marker {
  readonly source: string
  /** What the old server's databases looked like. */
  readonly state: string
}

const readMarker = (folder: string): Marker | undefined =>
  existsSync(markerOf(folder))
    ? // SAFETY: only `openFolder` writes the file.
      (JSON.parse(readFileSync(markerOf(folder), "utf8")) as Marker)
    : undefined

/** Fails unless the folder is new, or an adoption of the same data has begun in it. */
export const checkFolder = (folder: string, { source, state }: Marker): void => {
  const marker = readMarker(folder)
  if (marker === undefined) {
    if (!existsSync(join(folder, "directory.sqlite"))) return
    throw new Unadoptable(`${folder} holds a server's data already. Choose another folder.`)
  }
  if (marker.source !== source) {
    throw new Unadoptable(`${folder} is the copy of ${marker.source}. Choose another folder.`)
  }
  if (marker.state !== state) throw new Unadoptable(changed(folder))
}

/** Writes a file that only its owner reads; it is never half there. */
const writePrivate = (file: string, text: string): void => {
  writeFileSync(`${file}.new`, text, { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
}

/** What to do if the old server wrote after the copy began. */
export const changed = (folder: string): string =>
  `The old server wrote to its data meanwhile. Stop it, delete ${folder}, except for its nacre.env, and start again.`

/** Fails if the disk has less room than the copy needs. */
export const checkRoom = (folder: string, needed: number): void => {
  let place = folder
  while (!existsSync(place)) place = join(place, "..")
  const { bavail, bsize } = statfsSync(place)
  const free = Number(bavail) * Number(bsize)
  if (free > needed) return
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 1024 / 1024)} MB`
  throw new Unadoptable(
    `The copy needs ${mebibytes(needed)}, and ${place} has ${mebibytes(free)} left.`
  )
}

/** A database that only one process opens. */
const openAlone = (path: string) => {
  try {
    return SqlStorageNode.openFile(path)
  } catch (error) {
    if (!SqlStorageNode.isLocked(error)) throw error
    throw new Unadoptable("A server uses this folder. Stop it first.")
  }
}

/** The databases of the new server, and what they are for. */
export const openFolder = (folder: string, marker: Marker, seq: number, now: () => number) => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const databases = ["alarms", "directory", "stream"].map((name) =>
    openAlone(join(folder, `${name}.sqlite`))
  )
  const [alarms, directory, stream] = databases.map((database) =>
    SqlStorageNode.make(database)
  ) as [
    ReturnType<typeof SqlStorageNode.make>,
    ReturnType<typeof SqlStorageNode.make>,
    ReturnType<typeof SqlStorageNode.make>
  ]
  writePrivate(markerOf(folder), JSON.stringify(marker))
  for (const table of AlarmsSqlite.tables) alarms.exec(table)
  makeTables(directory)
  continueStream(new EventLog(stream, now), seq)
  return {
    alarms,
    directory,
    log: new EventLog(stream, now),
    close: () => {
      for (const database of databases) database.close()
    }
  }
}

/** The folder is complete: keeps the report, and lets the server start. */
export const finish = (folder: string, report: object): void => {
  writePrivate(join(folder, "adoption.json"), `${JSON.stringify(report, null, 2)}\n`)
  rmSync(markerOf(folder))
}
