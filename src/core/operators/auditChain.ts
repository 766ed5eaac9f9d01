import { toBase64Url } from "../bytes/base64url.ts"
import { sha256 } from "../repo/cid.ts"

/** A value before or after an act. */
export type AuditValue = string | number | boolean | null

/** An act of an operator or a moderator. */
export interface AuditAct {
  /** The time in milliseconds. */
  readonly at: number
  /**
   * `password` for the administrator's password, else the DID of the operator or the moderation
   * service.
   */
  readonly actor: string
  /** The method's NSID, or the path of the route. */
  readonly act: string
  /** The status of the response. */
  readonly status: number
  /** Its subject: a DID, an `at://` URI, an invite code. */
  readonly subject?: string
  readonly reason?: string
  readonly before?: Readonly<Record<string, AuditValue>>
  readonly after?: Readonly<Record<string, AuditValue>>
  readonly request?: string
}

/** An entry of the audit log; `hash` covers the act, its number, and the hash of the entry before it. */
export interface AuditEntry extends AuditAct {
  readonly seq: number
  readonly prev: string
  readonly hash: string
}

/** The newest entry's number and hash. */
export interface AuditHead {
  readonly seq: number
  readonly hash: string
}

/** The head of a log without entries. */
export const emptyHead: AuditHead = { seq: 0, hash: "" }

const sorted = (values: AuditAct["before"]) =>
  values === undefined ? null : Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1))

/** The hash of an entry. */
const hashOf = ({ seq, hash: prev }: AuditHead, act: AuditAct): string => {
  const { actor, after, at, before, reason, request, status, subject } = act
  const parts = [seq, prev, at, actor, act.act, status, subject ?? null, reason ?? null]
  const text = JSON.stringify([...parts, sorted(before), sorted(after), request ?? null])
  return toBase64Url(sha256(text))
}

/** The entry that follows a head. */
export const nextEntry = (head: AuditHead, act: AuditAct): AuditEntry => {
  const seq = head.seq + 1
  return { ...act, seq, prev: head.hash, hash: hashOf({ seq, hash: head.hash }, act) }
}

/** The place where a chain breaks: a changed entry, or missing entries before it. */
export interface AuditFault {
  readonly seq: number
  readonly fault: "changed" | "missing"
}

/**
 * Returns the first fault in entries in ascending order, which follow a verified entry.
 *
 * Without one, the first entry may be any, because older ones may have been deleted.
 */
export const faultIn = (
  entries: ReadonlyArray<AuditEntry>,
  after?: AuditHead
): AuditFault | undefined => {
  let head = after
  for (const entry of entries) {
    const { seq, prev, hash } = entry
    if (head !== undefined && (seq !== head.seq + 1 || prev !== head.hash)) {
      return { seq, fault: "missing" }
    }
    if (hashOf({ seq, hash: prev }, entry) !== hash) return { seq, fault: "changed" }
    head = { seq, hash }
  }
  return undefined
}
