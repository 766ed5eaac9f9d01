import { assert, describe, it } from "@effect/vitest"
import { make, open } from "../../src/layers/SqlStorageNode.ts"
import { sqlStorageContract } from "./sqlStorage.suite.ts"

sqlStorageContract("node:sqlite", async (body) => {
  const database = open(":memory:")
  try {
    body(make(database))
  } finally {
    database.close()
  }
})

describe("SqlStorageNode", () => {
  it("opens without a warning of Node", async () => {
    const warnings: Array<string> = []
    const note = (warning: Error) => warnings.push(warning.message)
    process.on("warning", note)
    open(":memory:").close()
    await new Promise((resolve) => setImmediate(resolve))
    process.off("warning", note)
    assert.deepStrictEqual(warnings, [])
  })
})
