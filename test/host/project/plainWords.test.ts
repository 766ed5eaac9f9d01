import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { codeHabits, exceptions, habits, withoutSubject } from "./plainWords.ts"

const root = join(import.meta.dirname, "../../..")
const read = (file: string) => readFileSync(join(root, file), "utf8")

const filesIn = (folder: string, ending: RegExp): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => ending.test(file) && !file.includes("node_modules"))
    .map((file) => join(folder, file))

/** A document's prose, without code and quoted test names. */
const proseOf = (file: string): string =>
  read(file)
    .replaceAll(/^```[\s\S]*?^```/gm, "")
    .replaceAll(/`[^`\n]*`/g, "`…`")
    .replaceAll(/“[^”\n]*”/g, "“…”")

const literal = /"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g

/** A program's string and template literals. */
const sayingsOf = (file: string): string =>
  (
    read(file)
      .replaceAll(/\/\*[\s\S]*?\*\//g, "")
      .replaceAll(/^\s*\/\/.*$/gm, "")
      .match(literal) ?? []
  ).join("\n")

/** A program's comments and docblocks, each on one line. */
const commentsOf = (file: string): ReadonlyArray<string> =>
  (read(file).match(/\/\*\*[\s\S]*?\*\/|(?<=^\s*)\/\/ .*(?:\n\s*\/\/ .*)*/gm) ?? []).map(
    (comment) => comment.replaceAll(/\n\s*(?:\*|\/\/) ?/g, " ")
  )

const call = /\b(?<kind>it|test|describe)(?:\.\w+)*(?:\([^()"'`]*(?:\([^()]*\))*[^()"'`]*\))?\(\s*/
const title = /(?<title>"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)/
const named = new RegExp(call.source + title.source, "g")

/** The names of a file's tests, and of the groups that they are in. */
const namesOf = (file: string) =>
  [...read(file).matchAll(named)].map(({ groups }) => ({
    isTest: groups!["kind"] !== "describe",
    name: groups!["title"]!.slice(1, -1)
  }))

const isLeftOut = (file: string) =>
  exceptions.some(
    (exception) =>
      exception.text === undefined &&
      (exception.file === file || file.startsWith(`${exception.file}/`))
  )

/** The habits in a text, as “file: phrase → plain words”. */
const habitsIn = (file: string, whole: string, among = habits): ReadonlyArray<string> => {
  const text = exceptions.reduce(
    (rest, exception) =>
      exception.file === file && exception.text !== undefined
        ? rest.replaceAll(exception.text, "")
        : rest,
    whole
  )
  return among.flatMap(([habit, instead]) =>
    [...text.matchAll(new RegExp(habit, "gi"))].map(({ 0: found, index }) => {
      const around = text.slice(Math.max(0, index - 40), index + found.length + 40)
      return `${file}: “${around.replaceAll(/\s+/g, " ")}”: not “${found}” but ${instead}`
    })
  )
}

describe("plain words", () => {
  it("the documents use plain words", () => {
    const documents = [
      "README.md",
      "CONTRIBUTING.md",
      "SECURITY.md",
      "AGENTS.md",
      ...filesIn("docs", /\.md$/)
    ]
    const found = documents
      .filter((file) => !isLeftOut(file))
      .flatMap((file) => habitsIn(file, proseOf(file)))
    assert.deepStrictEqual(found, [])
  })

  it("pages, mails and the command use plain words", () => {
    const sources = [
      ...filesIn("src/http/pages/text", /\.ts$/),
      "src/services/mail/mailTexts.ts",
      ...filesIn("src/cli", /\.ts$/),
      ...filesIn("scripts", /\.(?:mjs|ts)$/)
    ]
    const found = sources.flatMap((file) => habitsIn(file, sayingsOf(file)))
    assert.deepStrictEqual(found, [])
  })

  it("comments and docblocks use plain words", () => {
    const sources = ["src", "test", "scripts", "bench", "create-nacre"].flatMap((folder) =>
      filesIn(folder, /\.(?:ts|mts|mjs)$/)
    )
    const found = sources
      .filter((file) => !isLeftOut(file))
      .flatMap((file) => habitsIn(file, commentsOf(file).join("\n"), codeHabits))
    assert.deepStrictEqual(found, [])
  })

  it("test names use plain words and have a subject", () => {
    const tests = filesIn("test", /\.ts$/)
      .filter((file) => !isLeftOut(file))
      .map((file) => ({ file, names: namesOf(file) }))
    assert.isAbove(tests.flatMap(({ names }) => names).length, 2000)
    const found = tests.flatMap(({ file, names }) => [
      ...habitsIn(file, names.map(({ name }) => name).join("\n"), codeHabits),
      ...names
        .filter(({ isTest, name }) => isTest && withoutSubject.test(name))
        .map(({ name }) => `${file}: “${name}” has no subject`)
    ])
    assert.deepStrictEqual(found, [])
  })

  it("every exception has a reason and a file that exists", () => {
    for (const { file, text, reason } of exceptions) {
      assert.isTrue(existsSync(join(root, file)), file)
      if (text !== undefined) assert.include(read(file), text, file)
      assert.isAbove(reason.length, 10)
    }
  })
})
