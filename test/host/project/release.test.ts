import { assert, describe, it } from "@effect/vitest"
import { nextVersion, released, unreleased } from "../../../scripts/release.ts"

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
})
