import * as Cause from "effect/Cause"
import { type DiskFault, diskFaultOf } from "../../core/host/diskFault.ts"
import { unavailable, type WireError } from "../wire.ts"

const messages: Readonly<Record<DiskFault, string>> = {
  full: "This server can't store anything more: its disk is full",
  "read-only": "This server can't store anything: its disk can only be read at the moment"
}

/** The error for a request that the disk couldn't take; undefined for any other cause. */
export const storageFault = (cause: Cause.Cause<unknown>): WireError | undefined => {
  const fault = diskFaultOf(Cause.squash(cause))
  return fault === undefined ? undefined : unavailable(messages[fault])
}
