import * as Result from "effect/Result"
import { isNormalNsid } from "../../../core/lexicon/syntax.ts"
import type { Cid } from "../../../core/repo/cid.ts"
import { backlinkOf } from "./backlink.ts"
import type { Records } from "../Records.ts"
import { InvalidSwap, InvalidWrite, type WriteResult } from "../Repo.ts"
import type { PreparedRecord, PreparedWrite } from "./prepare.ts"

/** The net change at one path: the record before the request and after it. */
export interface Change {
  readonly path: string
  readonly before: Cid | undefined
  after: PreparedRecord | undefined
}

/** The result of a request's writes, applied in order. */
export interface Plan {
  /** The paths that really change, in order of first use. */
  readonly changes: ReadonlyArray<Change>
  readonly results: ReadonlyArray<WriteResult>
}

/**
 * Applies the writes in order to the current repo and reduces them to one change a path.
 *
 * A batch may create, update and delete one key; writes that cancel out produce no operation.
 */
export const plan = (
  did: string,
  writes: ReadonlyArray<PreparedWrite>,
  /** The record at a path in the current repo. */
  at: (path: string) => Cid | undefined,
  records: Records["Service"],
  replaceDuplicates: boolean
): Result.Result<Plan, InvalidWrite | InvalidSwap> => {
  const changes = new Map<string, Change>()
  const results: Array<WriteResult> = []

  /** The CID at a path after the earlier writes of this request. */
  const current = (path: string): Cid | undefined => {
    const change = changes.get(path)
    return change === undefined ? at(path) : change.after?.cid
  }

  const change = (
    path: string,
    there: Cid | undefined,
    after: PreparedRecord | undefined
  ): void => {
    const earlier = changes.get(path)
    if (earlier === undefined) changes.set(path, { path, before: there, after })
    else earlier.after = after
  }

  for (const { write, path, content } of writes) {
    const there = current(path)
    if (content !== undefined && there === undefined && !isNormalNsid(write.collection)) {
      return Result.fail(
        new InvalidWrite({
          message: `Collection must have its domain in lower case: ${write.collection}`
        })
      )
    }
    const refused = refusal(write, path, there)
    if (refused !== undefined) return Result.fail(refused)
    const uri = `at://${did}/${path}`
    if (content === undefined) {
      if (there !== undefined) change(path, there, undefined)
      results.push({ action: "delete", uri })
      continue
    }
    if (replaceDuplicates) {
      const link = backlinkOf(path, content.record)
      if (link !== undefined) {
        for (const other of records.backlinks(link.collection, link.subject)) {
          const twin = other === path ? undefined : current(other)
          if (twin !== undefined) change(other, twin, undefined)
        }
      }
    }
    change(path, there, content)
    results.push({
      action: there === undefined ? "create" : "update",
      uri,
      cid: content.cid,
      ...(content.status === undefined ? {} : { validationStatus: content.status })
    })
  }
  return Result.succeed({ changes: [...changes.values()].filter(isChange), results })
}

const isChange = ({ before, after }: Change): boolean =>
  after === undefined ? before !== undefined : before === undefined || !before.equals(after.cid)

/** Why this write is rejected; undefined if it isn't. */
const refusal = (
  write: PreparedWrite["write"],
  path: string,
  there: Cid | undefined
): InvalidWrite | InvalidSwap | undefined => {
  switch (write.action) {
    case "create":
      return there === undefined
        ? undefined
        : new InvalidWrite({ message: `Record already exists: ${path}` })
    case "update":
      return there === undefined
        ? new InvalidWrite({ message: `Could not find record: ${path}` })
        : undefined
    case "delete":
      if (there === undefined) {
        return write.strict
          ? new InvalidWrite({ message: `Could not find record: ${path}` })
          : undefined
      }
      return write.swapRecord === undefined ? undefined : swapProblem(write.swapRecord, there)
    case "put":
      return write.swapRecord === undefined ? undefined : swapProblem(write.swapRecord, there)
  }
}

const swapProblem = (expected: Cid | null, there: Cid | undefined): InvalidSwap | undefined => {
  const same =
    expected === null ? there === undefined : there !== undefined && there.equals(expected)
  return same
    ? undefined
    : new InvalidSwap({ message: `Record was at ${there?.toString() ?? "null"}` })
}
