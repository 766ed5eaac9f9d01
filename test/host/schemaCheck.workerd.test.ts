import { assert, describe, it } from "@effect/vitest"
import { runInDurableObject } from "cloudflare:test"
import { accountTables } from "../../src/layers/host/sql/accountTables.ts"
import { checkTables } from "../../src/layers/host/sql/objectTables.ts"
import { make } from "../../src/layers/host/sql/SqlStorageDurable.ts"
import { ACCOUNT } from "./workerdWorld.ts"

/** The statements that check an object's tables, the second time. */
const statementsOf = (name: string) =>
  runInDurableObject(ACCOUNT.get(ACCOUNT.idFromName(name)), (_object, { storage }) => {
    const sql = make(storage)
    checkTables(sql, accountTables)
    let statements = 0
    const counting: typeof sql = {
      ...sql,
      exec: (query, ...bindings) => {
        statements += 1
        return sql.exec<never>(query, ...bindings)
      }
    }
    checkTables(counting, accountTables)
    return statements
  })

describe("an account's object that wakes", () => {
  it("the object checks its tables with one statement if another one had the same", async () => {
    assert.strictEqual(await statementsOf("did:web:schema-1.test"), 1)
    assert.strictEqual(await statementsOf("did:web:schema-2.test"), 1)
  })
})
