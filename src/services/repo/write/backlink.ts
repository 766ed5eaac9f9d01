import { readStoredRecord } from "../../../core/repo/cborLoose.ts"

/** The collections that allow one record a subject, and how to read the subject. */
const single = new Map<string, (record: Record<string, unknown>) => unknown>([
  ["app.bsky.feed.like", (record) => uriOf(record["subject"])],
  ["app.bsky.feed.repost", (record) => uriOf(record["subject"])],
  ["app.bsky.graph.follow", (record) => record["subject"]],
  ["app.bsky.graph.block", (record) => record["subject"]]
])

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null

const uriOf = (subject: unknown): unknown => (isObject(subject) ? subject["uri"] : undefined)

/** The subject of a like, repost, follow or block. */
export interface Backlink {
  readonly collection: string
  readonly subject: string
}

/**
 * The subject of a record that may name it only once; without a value, whether the path is of such
 * a collection.
 */
export function backlinkOf(path: string): boolean
export function backlinkOf(path: string, value: Uint8Array | object): Backlink | undefined
export function backlinkOf(
  path: string,
  value?: Uint8Array | object
): Backlink | boolean | undefined {
  const collection = path.slice(0, path.indexOf("/"))
  const subjectOf = single.get(collection)
  if (value === undefined) return subjectOf !== undefined
  if (subjectOf === undefined) return undefined
  const record = value instanceof Uint8Array ? readStoredRecord(value).fields : value
  const subject = isObject(record) ? subjectOf(record) : undefined
  return typeof subject === "string" ? { collection, subject } : undefined
}
