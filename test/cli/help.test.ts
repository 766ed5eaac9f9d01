import { assert, beforeAll, describe, it } from "@effect/vitest"
import {
  type CommandHelp,
  linesOf,
  runHere,
  walkCommands
} from "../../scripts/reference/commandHelp.ts"

describe("every command", () => {
  let all: ReadonlyArray<CommandHelp>
  beforeAll(async () => {
    all = await walkCommands()
  })

  it("every command's help describes the command, each argument and each flag", () => {
    assert.isAbove(all.length, 30)
    for (const { path, help } of all) {
      assert.match(help, /^DESCRIPTION\n {2}\S/, path.join(" "))
      for (const section of ["ARGUMENTS", "FLAGS", "SUBCOMMANDS"]) {
        for (const line of linesOf(help, section)) {
          assert.match(line, /^ {2}\S.*? {2,}\S/, `${path.join(" ")}: ${line}`)
        }
      }
    }
  })

  it("every command that fails with --json prints one JSON document, with the next step", async () => {
    const leaves = all.filter(
      ({ help, path }) =>
        linesOf(help, "SUBCOMMANDS").length === 0 &&
        // These only concern this machine, and call no server.
        !["init", "dev", "serve", "deploy", "secret", "logs", "upgrade", "version"].includes(
          path[0] ?? ""
        )
    )
    for (const { path } of leaves) {
      const { isContent, stdout, stderr } = await runHere([...path, "--json"])
      assert.isFalse(isContent, path.join(" "))
      const { message, next } = JSON.parse(stdout)
      assert.isString(message, path.join(" "))
      assert.isString(next, path.join(" "))
      assert.include(stderr, message)
    }
  })
})
