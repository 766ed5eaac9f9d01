import { assert, describe, it } from "@effect/vitest"
import { findOrInstallChromium, type Machine } from "../../support/browser/browserInstall.ts"

/** A machine on which commands succeed that bring a browser. */
const machineWith = (brings: { readonly download?: boolean; readonly debian?: boolean }) => {
  const ran: Array<string> = []
  const there = { installed: undefined as string | undefined, downloads: false }
  const machine = (isRoot: boolean): Machine => ({
    installed: () => there.installed,
    downloaded: () => "/cache/chromium",
    starts: () => there.downloads,
    run: (command, ...args) => {
      ran.push(
        [command.split("/").at(-1), args.includes("update") ? "update" : "install"].join(" ")
      )
      if (command === "apt-get") {
        if (args.includes("install") && brings.debian === true)
          there.installed = "/usr/bin/chromium"
      } else {
        there.downloads = brings.download === true
      }
      return true
    },
    isRoot,
    say: () => {}
  })
  return { ran, there, machine }
}

describe("the Chromium of the tests", () => {
  it("is the machine's own, and nothing is installed then", () => {
    const { machine, ran, there } = machineWith({})
    there.installed = "/usr/bin/chromium"
    assert.strictEqual(findOrInstallChromium(machine(true)), "/usr/bin/chromium")
    assert.deepStrictEqual(ran, [])
  })

  it("is Playwright's download where the machine has none", () => {
    const { machine, ran } = machineWith({ download: true, debian: true })
    assert.strictEqual(findOrInstallChromium(machine(true)), "/cache/chromium")
    assert.deepStrictEqual(ran, ["node install"])
  })

  it("is Debian's package where the download does not start, and root runs the tests", () => {
    const { machine, ran } = machineWith({ debian: true })
    assert.strictEqual(findOrInstallChromium(machine(true)), "/usr/bin/chromium")
    assert.deepStrictEqual(ran, ["node install", "apt-get update", "apt-get install"])
  })

  it("is none where it cannot be had, and nobody but root touches the system", () => {
    const { machine, ran } = machineWith({ debian: true })
    assert.isUndefined(findOrInstallChromium(machine(false)))
    assert.deepStrictEqual(ran, ["node install"])
  })
})
