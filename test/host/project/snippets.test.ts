import { assert, beforeAll, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { type CommandHelp, linesOf, walkCommands } from "../../../scripts/reference/commandHelp.ts"
import { root } from "../../../scripts/build.ts"
import {
  blocks,
  checkedElsewhere,
  commandsOf,
  documents,
  inSentences,
  otherPrograms,
  read,
  typescript,
  type Words
} from "../../../scripts/snippets.ts"

/** A flag takes a value when its help names one. */
const flagsOf = (help: string): ReadonlyMap<string, boolean> =>
  new Map(
    ["FLAGS", "GLOBAL FLAGS"]
      .flatMap((section) => linesOf(help, section))
      .flatMap((line) => {
        const [, names = "", value] =
          /^ {2}((?:--?[\w-]+(?:, )?)+)( \S.*?)?(?: {2,}|$)/.exec(line) ?? []
        return names.split(", ").map((name) => [name, value !== undefined] as const)
      })
  )

const scripts: Readonly<Record<string, string>> = JSON.parse(read("package.json")).scripts
const ofProject: Readonly<Record<string, string>> = JSON.parse(
  read("create-nacre/template/package.json")
).scripts

let commands: ReadonlyArray<CommandHelp>
beforeAll(async () => {
  commands = await walkCommands()
})

/** What is wrong with a `nacre` command; in a sentence it may be a part of one. */
const faultOfNacre = (words: Words, isWhole: boolean): string | undefined => {
  const longest = commands
    .filter(({ path }) => path.every((word, at) => words[at] === word))
    .toSorted((one, other) => other.path.length - one.path.length)[0]!
  const known = flagsOf(longest.help)
  const rest = words.slice(longest.path.length)
  let args = 0
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at]!
    if (!word.startsWith("-")) args += 1
    else if (!known.has(word)) return `no ${word}`
    else if (known.get(word) === true) at += 1
  }
  const usage = / {2}nacre.*$/m.exec(longest.help)?.[0] ?? ""
  const hasSubcommands = usage.includes("<subcommand>")
  const most = hasSubcommands ? 0 : (usage.match(/<[^>]+>/g) ?? []).length
  const least = hasSubcommands ? 0 : (usage.match(/ <[^>]+>/g) ?? []).length
  if (args > most && !usage.includes("...")) return `takes ${most} arguments`
  const isHelp = rest.some((word) => ["--help", "--version", "--completions"].includes(word))
  return isWhole && args < least && !isHelp ? `needs ${least} arguments` : undefined
}

const faultOf = (words: Words, file: string, isWhole: boolean): string | undefined => {
  const [program = "", ...rest] = words
  if (program === "nacre") return faultOfNacre(rest, isWhole)
  if (program === "npx") {
    if (rest[0] === "nacre") return faultOfNacre(rest.slice(1), isWhole)
    return rest[0] === "wrangler" ? undefined : `npx ${rest[0]} is unknown`
  }
  if (program === "npm") {
    const [verb = "", name = ""] = rest
    if (["ci", "create", "install"].includes(verb)) return undefined
    const script = verb === "run" ? name : verb
    const all = file.startsWith("create-nacre") ? { ...scripts, ...ofProject } : scripts
    const missing = rest.filter(
      (word) => /^test\/.*\.ts$/.test(word) && !existsSync(join(root, word))
    )
    if (missing.length > 0) return `no ${missing[0]}`
    return script in all ? undefined : `no script ${script}`
  }
  return program in otherPrograms ? undefined : `${program} is unknown`
}

describe("the snippets of the documents", () => {
  it("every snippet is checked in some way", () => {
    const unknown = blocks.filter(
      ({ language }) => language !== "sh" && !(language in checkedElsewhere)
    )
    assert.deepStrictEqual(unknown, [])
    assert.isAbove(typescript.length, 5)
    assert.include(read("scripts/check.ts"), "writeSnippets()")
    for (const program of Object.keys(otherPrograms)) {
      assert.isTrue(
        blocks.some(({ language, code }) => language === "sh" && code.includes(`${program} `)),
        program
      )
    }
  })

  it("snippets call existing commands, flags and scripts, with the right number of arguments", () => {
    const faults = documents
      .filter((file) => !file.startsWith("docs/reference/"))
      .flatMap((file) =>
        [
          ...blocks
            .filter((block) => block.file === file && block.language === "sh")
            .flatMap(({ code }) => commandsOf(code))
            .map((words) => ({ words, fault: faultOf(words, file, true) })),
          ...inSentences(file).map((words) => ({ words, fault: faultOf(words, file, false) }))
        ].map((one) => ({ ...one, file }))
      )
    assert.isAbove(faults.length, 100)
    const wrong = faults
      .filter(({ fault }) => fault !== undefined)
      .map(({ file, words, fault }) => `${file}: ${words.join(" ")}: ${fault}`)
    assert.deepStrictEqual(wrong, [])
  })
})
