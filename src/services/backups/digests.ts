import { type Tables, encodeTables } from "../../core/backups/rows.ts"
import { cidForRaw } from "../../core/repo/cid.ts"

/** A digest of rows. */
export const digestOf = (rows: Tables): string => cidForRaw(encodeTables(rows)).toString()
