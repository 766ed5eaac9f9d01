import { assert, describe, it } from "@effect/vitest"
import { findOrInstallChromium, type Machine } from "../../support/browser/browserInstall.ts"

/** A machine on which these commands install a browser. */
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

describe("the tests' Chromium", () => {
  it("the machine's own Chromium is used without installing anything", () => {
    const { machine, ran, there } = machineWith({})
    there.installed = "/usr/bin/chromium"
    assert.strictEqual(findOrInstallChromium(machine(true)), "/usr/bin/chromium")
    assert.deepStrictEqual(ran, [])
  })

  it("Playwright's download is used if the machine has none", () => {
    const { machine, ran } = machineWith({ download: true, debian: true })
    assert.strictEqual(findOrInstallChromium(machine(true)), "/cache/chromium")
    assert.deepStrictEqual(ran, ["node install"])
  })

  it("Debian's package is used if the download doesn't start and the tests run as root", () => {
    const { machine, ran } = machineWith({ debian: true })
    assert.strictEqual(findOrInstallChromium(machine(true)), "/usr/bin/chromium")
    assert.deepStrictEqual(ran, ["node install", "apt-get update", "apt-get install"])
  })

  it("findOrInstallChromium returns undefined without a way to install it, and only root changes the system", () => {
    const { machine, ran } = machineWith({ debian: true })
    assert.isUndefined(findOrInstallChromium(machine(false)))
    assert.deepStrictEqual(ran, ["node install"])
  })
})
