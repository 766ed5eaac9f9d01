import { existsSync } from "node:fs"

/** The usual places of Chromium. */
const places = [
  // Renders pages without windows, which halves the tests' time.
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium"
]

/** The Chromium that `CHROMIUM` names, or the one in a usual place. */
export const chromiumPath = (): string | undefined =>
  process.env["CHROMIUM"] || places.find((path) => existsSync(path))

/** What to do without Chromium. */
export const noChromium =
  "There is no Chromium here, and none could be downloaded. Install it (apt-get install chromium), or name it: CHROMIUM=/path/to/chromium npm test"
