import { existsSync } from "node:fs"

/** Where Chromium is wont to be. */
const places = [
  // Draws pages and no windows: with it the tests take half the time.
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium"
]

/** The Chromium that `CHROMIUM` names, or that is installed in a usual place. */
export const chromiumPath = (): string | undefined =>
  process.env["CHROMIUM"] || places.find((path) => existsSync(path))

/** What to do where there is none and none can be installed. */
export const noChromium =
  "There is no Chromium here, and none could be downloaded. Install it (apt-get install chromium), or name it: CHROMIUM=/path/to/chromium npm test"
