import type { Patch } from "./patch.ts"

/** The methods whose answers are patched with what the caller has written since. */
export const patches: ReadonlyMap<string, Patch> = new Map()
