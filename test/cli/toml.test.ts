import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Toml from "effect/encoding/Toml"
import { withEntry, withKey } from "../../src/cli/host/toml.ts"

const parsed = (text: string) => JSON.parse(JSON.stringify(Result.getOrThrow(Toml.parse(text))))

/** Texts in which tables are easily confused with values. */
const texts = {
  "an empty text": "",
  "keys alone": 'name = "nacre"',
  "a list over several lines": 'list = [\n  "a",\n  [ "b" ],\n]\n\n[vars]\nA = "1"\n',
  "brackets and signs of comments in texts":
    'a = "[vars] # \\" no" # [vars]\nb = \'[x\'\n[vars]\nc = "]"\n',
  "a text over several lines":
    'a = """\n[vars]\n"""\n[ vars ]\nb = "1"\n\n# of what follows\n[other]\n',
  "lines that end as on Windows": "a = 1\r\n[vars]\r\nb = 1\r\n[env.staging]\r\nc = 1\r\n",
  "environments between":
    '[[list]]\na = 1\n\n# staging\n[env.staging]\nname = "s"\n\n[env.dev.vars]\nb = 1\n'
}

describe("a TOML text", () => {
  it.each(Object.entries(texts))(
    "a key can be added to %s at the top, in a table and in an environment's table",
    (_, text) => {
      const before = parsed(text)
      const top = withKey(text, "", ["new", '"x"'])
      assert.deepStrictEqual(parsed(top), { ...before, new: "x" })
      const inVars = withKey(top, "vars", ["new", "[1]"])
      const vars = { ...before.vars, new: [1] }
      assert.deepStrictEqual(parsed(inVars), { ...before, new: "x", vars })
      const staging = withKey(inVars, "env.staging.vars", ["new", "true"])
      const expected = {
        ...before,
        new: "x",
        vars,
        env: { ...before.env, staging: { ...before.env?.staging, vars: { new: true } } }
      }
      assert.deepStrictEqual(parsed(staging), expected)
      const entries = ["one", "two"].reduce(
        (whole, binding) => withEntry(whole, "secrets", { binding }),
        staging
      )
      const secrets = [{ binding: "one" }, { binding: "two" }]
      assert.deepStrictEqual(parsed(entries), { ...expected, secrets })
      const kept = text.split("\n").filter((line) => line !== "")
      assert.deepStrictEqual(
        kept.filter((line) => !entries.split("\n").includes(line)),
        []
      )
    }
  )

  it("an addition fills an empty list in place", () => {
    const text = '[env.staging]\nroutes = []\nname = "s"\n'
    assert.strictEqual(
      withKey(text, "env.staging", ["routes", '["a"]']),
      '[env.staging]\nroutes = ["a"]\nname = "s"\n'
    )
  })

  it("a key goes into the requested entry of a list of tables", () => {
    const text = "[[list]]\na = 1\n\n[[list]]\na = 2\n"
    assert.deepStrictEqual(parsed(withKey(text, "list", ["b", "3"], 1)), {
      list: [{ a: 1 }, { a: 2, b: 3 }]
    })
  })
})
