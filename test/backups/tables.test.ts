import { assert, describe, it } from "@effect/vitest"
import { tables as ledgerTables } from "../../src/layers/backups/BackupLedgerD1.ts"
import * as AccountRows from "../../src/layers/backups/AccountRowsSqlite.ts"
import * as HostRows from "../../src/layers/backups/HostRowsD1.ts"
import { tables as accountTable } from "../../src/layers/accounts/AccountStoreSqlite.ts"
import { tables as directoryTables } from "../../src/layers/accounts/DirectoryD1.ts"
import { accountTables } from "../../src/layers/host/sql/accountTables.ts"
import { globSync, readFileSync } from "node:fs"

const nameOf = (statement: string): ReadonlyArray<string> => {
  const name = /CREATE TABLE IF NOT EXISTS (\w+)/.exec(statement)?.[1]
  return name === undefined ? [] : [name]
}

/** Tables of the host's database, from the sources of the layers that declare them. */
const hostTables = (): ReadonlyArray<string> =>
  globSync("src/layers/**/*D1.ts").flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/CREATE TABLE IF NOT EXISTS (\w+)/g)].map(
      ([, name = ""]) => name
    )
  )

describe("every table", () => {
  it("every table of an account's object is in its backup, derived from it, or excluded for a reason", () => {
    const known = { ...AccountRows.kept, ...AccountRows.elsewhere, ...AccountRows.leftOut }
    const declared = [...accountTable, ...accountTables].flatMap(nameOf)
    assert.sameMembers([...new Set([...declared, "schema_version"])], Object.keys(known))
  })

  it("every table of the host's database is in its backup, or excluded for a reason", () => {
    const known = { ...HostRows.ofAccounts, ...HostRows.whole, ...HostRows.leftOut }
    const declared = [...directoryTables, ...ledgerTables].flatMap(nameOf)
    assert.sameMembers([...new Set([...hostTables(), ...declared])], Object.keys(known))
  })
})
