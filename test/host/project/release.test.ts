import { assert, describe, it } from "@effect/vitest"
import { faultsOf, nextVersion, released, unreleased } from "../../../scripts/release.ts"

const changelog = `# Changelog

## Unreleased

- **Backups**: every night.
- The command starts faster.

## 0.2.0

### Before you update

- A longer password.
`

describe("npm run release", () => {
  it("release moves the unreleased lines to the version, and keeps every other line", () => {
    const after = released(changelog, "0.3.0")
    assert.deepStrictEqual(unreleased(after), [])
    assert.include(after, "## Unreleased\n\n## 0.3.0\n\n- **Backups**: every night.\n")
    assert.strictEqual(after.replace("## 0.3.0\n\n", ""), changelog)
  })

  it("release rejects an empty version and an existing version", () => {
    const empty = released(changelog, "0.3.0")
    assert.throws(() => released(empty, "0.4.0"), /no line under Unreleased/)
    assert.throws(() => released(changelog, "0.2.0"), /has a version 0\.2\.0/)
  })

  it("release increases one part of the version, and rejects an invalid one", () => {
    assert.strictEqual(nextVersion("0.2.9", "patch"), "0.2.10")
    assert.strictEqual(nextVersion("0.2.9", "minor"), "0.3.0")
    assert.strictEqual(nextVersion("0.2.9", "major"), "1.0.0")
    assert.strictEqual(nextVersion("0.2.9", "2.0.1"), "2.0.1")
    assert.throws(() => nextVersion("0.2.9", ""), /major, minor, patch/)
  })

  it("release --check names each file with another version, and a changelog out of order", () => {
    const versions = { "package.json": "0.2.0", "the package create-nacre": "0.2.0" }
    assert.deepStrictEqual(faultsOf({ changelog, versions }), [])
    const other = { ...versions, "the package create-nacre": "0.1.9" }
    assert.deepStrictEqual(faultsOf({ changelog, versions: other }), [
      "the package create-nacre names the version 0.1.9, not 0.2.0."
    ])
    const faults = (titles: ReadonlyArray<string>) =>
      faultsOf({ changelog: titles.map((title) => `## ${title}\n`).join("\n"), versions })
    assert.deepStrictEqual(faults(["Unreleased", "0.2.0", "0.1.10", "0.1.9"]), [])
    assert.deepStrictEqual(faults(["Unreleased", "0.2.0", "0.1.9", "0.1.10"]), [
      "CHANGELOG.md's versions aren't in order."
    ])
    assert.deepStrictEqual(faults(["0.2.0"]), [
      "CHANGELOG.md doesn't begin with Unreleased.",
      "CHANGELOG.md's newest version isn't 0.2.0."
    ])
    assert.deepStrictEqual(faults(["Unreleased", "0.3.0", "0.2.0", "0.2.0", "soon"]), [
      "CHANGELOG.md has a title that isn't a version: soon.",
      "CHANGELOG.md has the version 0.2.0 twice.",
      "CHANGELOG.md's versions aren't in order.",
      "CHANGELOG.md's newest version isn't 0.2.0."
    ])
  })
})
