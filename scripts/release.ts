/**
 * `npm run release -- minor`: gives the version its number everywhere, and the changelog's unreleased lines to it.
 *
 * `--check` fails if the files don't name one version, or the changelog isn't in order; `--check main` also if the
 * code of the packages differs from that branch, and the changelog has no new line.
 */
import { execFileSync } from "node:child_process"
import { globSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { createManifestOf, manifestOf, type RootManifest } from "./package/manifest.ts"

const head = "## Unreleased\n"

/** The lines of the changelog that belong to no version yet. */
export const unreleased = (changelog: string): ReadonlyArray<string> => {
  const [, section = ""] = changelog.split(head)
  return section
    .split(/^## /m, 1)
    .join("")
    .split("\n")
    .filter((line) => line.trim() !== "")
}

/** The version that follows: by its part that rises, or named itself. */
export const nextVersion = (version: string, step: string): string => {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number)
  if (step === "major") return `${major + 1}.0.0`
  if (step === "minor") return `${major}.${minor + 1}.0`
  if (step === "patch") return `${major}.${minor}.${patch + 1}`
  if (/^\d+\.\d+\.\d+$/.test(step)) return step
  throw new Error(`Say major, minor, patch or a version such as 1.2.3, not "${step}".`)
}

/** The changelog with its unreleased lines under a version, and room for the next ones. */
export const released = (changelog: string, version: string): string => {
  if (unreleased(changelog).length === 0) {
    throw new Error("CHANGELOG.md has no line under Unreleased: nothing would be released.")
  }
  if (changelog.includes(`\n## ${version}\n`)) {
    throw new Error(`CHANGELOG.md has a version ${version} already.`)
  }
  return changelog.replace(head, `${head}\n## ${version}\n`)
}

/** The files that name the version. */
export interface Named {
  readonly changelog: string
  /** The version in each file, and of each package. */
  readonly versions: Readonly<Record<string, string | undefined>>
}

/** What is wrong with the version's names and the order of the changelog, in one sentence each. */
export const faultsOf = ({ changelog, versions }: Named): ReadonlyArray<string> => {
  const [[, version] = ["", undefined]] = Object.entries(versions)
  const [first, ...listed] = [...changelog.matchAll(/^## (.+)$/gm)].map(([, title]) => title!)
  const sorted = listed.toSorted((a, b) => b.localeCompare(a, "en", { numeric: true }))
  return [
    ...Object.entries(versions).flatMap(([name, its]) =>
      its === version ? [] : [`${name} names the version ${its}, not ${version}.`]
    ),
    ...(first === "Unreleased" ? [] : ["CHANGELOG.md doesn't begin with Unreleased."]),
    ...listed
      .filter((title) => !/^\d+\.\d+\.\d+$/.test(title))
      .map((title) => `CHANGELOG.md has a title that isn't a version: ${title}.`),
    ...listed
      .filter((title, at) => listed.indexOf(title) !== at)
      .map((title) => `CHANGELOG.md has the version ${title} twice.`),
    ...(listed.join() === sorted.join() ? [] : ["CHANGELOG.md's versions aren't in order."]),
    ...(listed[0] === version ? [] : [`CHANGELOG.md's newest version isn't ${version}.`])
  ]
}

const root = join(import.meta.dirname, "..")
const read = (path: string): string => readFileSync(join(root, path), "utf8")

const git = (...args: ReadonlyArray<string>): string =>
  execFileSync("git", args, { cwd: root, encoding: "utf8" })

/** A file with the new version in it; nothing is written before every file has one. */
const changed = (path: string, to: (text: string) => string): readonly [string, string] => {
  const before = read(path)
  const after = to(before)
  if (after === before) throw new Error(`${path} doesn't name the version.`)
  return [path, after]
}

const release = (step: string): void => {
  const manifest: { readonly version: string } = JSON.parse(read("package.json"))
  const version = nextVersion(manifest.version, step)
  const own = `"version": "${manifest.version}"`
  const named = (text: string): string => text.replace(own, `"version": "${version}"`)
  const examples = globSync("examples/*/package.json", { cwd: root }).filter((path) =>
    read(path).includes('"nacre": ')
  )
  const files = [
    changed("CHANGELOG.md", (text) => released(text, version)),
    changed("package.json", named),
    // It names the project twice, before every package.
    changed("package-lock.json", (text) => named(named(text))),
    changed("src/core/host/version.ts", (text) => text.replace(manifest.version, version)),
    ...examples.map((path) =>
      changed(path, (text) => text.replace(/"nacre": "[^"]+"/, `"nacre": "^${version}"`))
    )
  ]
  for (const [path, text] of files) writeFileSync(join(root, path), text)
  console.log(`This is ${version} now. docs/contribute/release.md says what comes next.`)
}

const checkNames = (): void => {
  const manifest: RootManifest = JSON.parse(read("package.json"))
  const lock = JSON.parse(read("package-lock.json"))
  const faults = faultsOf({
    changelog: read("CHANGELOG.md"),
    versions: {
      "package.json": manifest.version,
      "package-lock.json": lock.version,
      "package-lock.json's project": lock.packages[""].version,
      "src/core/host/version.ts": /version = "([^"]+)"/.exec(read("src/core/host/version.ts"))?.[1],
      "the package nacre": String(manifestOf(manifest).version),
      "the package create-nacre": createManifestOf(manifest).version,
      ...Object.fromEntries(
        globSync("examples/*/package.json", { cwd: root }).flatMap((path) => {
          const its = /"nacre": "\^?([^"]+)"/.exec(read(path))?.[1]
          return its === undefined ? [] : [[path, its]]
        })
      )
    }
  })
  if (faults.length > 0) throw new Error(faults.join("\n"))
}

const checkChanges = (branch: string): void => {
  const base = git("merge-base", branch, "HEAD").trim()
  const touched = git("diff", "--name-only", base, "--", "src", "create-nacre").trim()
  const before = new Set(unreleased(git("show", `${base}:CHANGELOG.md`)))
  const isListed = unreleased(read("CHANGELOG.md")).some((line) => !before.has(line))
  const isSilent = /^Changelog: none$/m.test(git("log", "--format=%B", `${base}..HEAD`))
  if (touched === "" || isListed || isSilent) return
  throw new Error(
    `The code has changed since ${branch}, and CHANGELOG.md has no new line under Unreleased.\n` +
      'If nobody notices the change, write "Changelog: none" into a commit\'s message.'
  )
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { check: { type: "boolean", default: false } }
  })
  const [given] = positionals
  try {
    if (values.check) {
      checkNames()
      if (given !== undefined) checkChanges(given)
    } else release(given ?? "")
  } catch (cause) {
    console.error(cause instanceof Error ? cause.message : cause)
    process.exit(1)
  }
}
