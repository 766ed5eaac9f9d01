/** The messages of SQLite and Node for a disk that takes no more. */
const faults = [
  ["full", /database or disk is full|\bENOSPC\b/],
  ["read-only", /readonly database|\bEROFS\b/]
] as const

/** Why a disk takes nothing more. */
export type DiskFault = (typeof faults)[number][0]

/** Whether an error, or one of its causes, is a disk's that is full or read-only. */
export const diskFaultOf = (error: unknown): DiskFault | undefined => {
  let at = error
  for (let depth = 0; depth < 6 && at instanceof Error; depth++, at = at.cause) {
    const { message } = at
    const found = faults.find(([, pattern]) => pattern.test(message))
    if (found !== undefined) return found[0]
  }
  return undefined
}
