import { spawnSync } from "node:child_process"
import { createRequire } from "node:module"
import { join } from "node:path"
import { chromiumPath } from "./browserPath.ts"

const root = join(import.meta.dirname, "../../..")
const load = createRequire(import.meta.url)
const seconds = 1000

/** The machine's functions for finding and installing Chromium, replaceable in tests. */
export interface Machine {
  /** The Chromium in one of the usual places. */
  readonly installed: () => string | undefined
  /** The path of Playwright's downloaded Chromium. */
  readonly downloaded: () => string
  /** Whether a program starts: a download may lack system libraries. */
  readonly starts: (path: string) => boolean
  /** Runs a command; returns whether it succeeded. */
  readonly run: (command: string, ...args: ReadonlyArray<string>) => boolean
  /** Whether system packages may be installed. */
  readonly isRoot: boolean
  readonly say: (text: string) => void
}

const thisMachine: Machine = {
  installed: chromiumPath,
  // Loaded lazily: it takes a second, which most runs don't need.
  downloaded: () => {
    const { chromium }: typeof import("playwright-core") = load("playwright-core")
    return chromium.executablePath()
  },
  starts: (path) => spawnSync(path, ["--version"], { timeout: 30 * seconds }).status === 0,
  run: (command, ...args) =>
    spawnSync(command, args, {
      cwd: root,
      stdio: "ignore",
      timeout: 300 * seconds,
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
    }).status === 0,
  isRoot: process.getuid?.() === 0,
  say: (text) => console.error(text)
}

/** Finds this machine's Chromium; installs nothing. */
export const findChromium = (machine: Machine = thisMachine): string | undefined => {
  const installed = machine.installed()
  if (installed !== undefined) return installed
  const path = machine.downloaded()
  return machine.starts(path) ? path : undefined
}

/** Finds or installs Chromium: Playwright's download, else Debian's package for root. */
export const findOrInstallChromium = (machine: Machine = thisMachine): string | undefined => {
  const found = findChromium(machine)
  if (found !== undefined) return found
  machine.say("Downloading Chromium for the tests of the pages …")
  const playwright = join(root, "node_modules/playwright-core/cli.js")
  if (machine.run(process.execPath, playwright, "install", "--no-shell", "chromium")) {
    const path = findChromium(machine)
    if (path !== undefined) return path
  }
  if (!machine.isRoot) return undefined
  machine.say("Installing Debian's Chromium for the tests of the pages …")
  machine.run("apt-get", "update", "-qq")
  machine.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")
  return findChromium(machine)
}
