import { type Tables, encodeTables } from "../../core/backups/rows.ts"
import { cidForRaw } from "../../core/repo/cid.ts"

/** A word for these rows that changes with them. */
export const digestOf = (rows: Tables): string => cidForRaw(encodeTables(rows)).toString()
