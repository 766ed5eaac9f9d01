import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Syntax from "../../src/core/lexicon/syntax.ts"
import { vectorsOf } from "../support/vectors.ts"

const folder = await vectorsOf("syntax")

const lines = (name: string): Array<string> =>
  readFileSync(join(folder, `${name}.txt`), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))

const checks = {
  atidentifier: Syntax.isAtIdentifier,
  aturi: Syntax.isAtUri,
  cid: Syntax.isCidText,
  datetime: Syntax.isDatetime,
  did: Syntax.isDid,
  handle: Syntax.isHandle,
  language: Syntax.isLanguage,
  nsid: Syntax.isNsid,
  recordkey: Syntax.isRecordKey,
  tid: Syntax.isTid,
  uri: Syntax.isUri
}

describe("syntax vectors", () => {
  for (const [name, check] of Object.entries(checks)) {
    it(`every valid ${name} is accepted`, () => {
      const valid = lines(`${name}_syntax_valid`)
      assert.isAbove(valid.length, 0)
      assert.deepStrictEqual(
        valid.filter((line) => !check(line)),
        []
      )
    })

    it(`every invalid ${name} is rejected`, () => {
      const invalid = lines(`${name}_syntax_invalid`)
      assert.isAbove(invalid.length, 0)
      assert.deepStrictEqual(
        invalid.filter((line) => check(line)),
        []
      )
    })
  }

  for (const name of ["datetime", "language"] as const) {
    it(`every syntactically correct but meaningless ${name} is rejected`, () => {
      const invalid = lines(`${name}_parse_invalid`)
      assert.isAbove(invalid.length, 0)
      assert.deepStrictEqual(
        invalid.filter((line) => checks[name](line)),
        []
      )
    })
  }

  it("parseAtUri splits every valid AT URI into parts that form it again", () => {
    for (const line of lines("aturi_syntax_valid")) {
      const parts = Syntax.parseAtUri(line)
      assert.isDefined(parts, line)
      const path = [parts.authority, parts.collection, parts.rkey].filter((part) => part)
      assert.strictEqual(`at://${path.join("/")}`, line.split("#", 1)[0])
    }
  })
})
