import { existsSync } from "node:fs"

/** Where Chromium is wont to be. */
const places = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium"
]

/** The Chromium of this machine: what `CHROMIUM` names, or one of the usual places; undefined where there is none. */
export const chromiumPath = (): string | undefined =>
  process.env["CHROMIUM"] || places.find((path) => existsSync(path))

/** What to do where there is none. */
export const noChromium =
  "No Chromium is here to test the pages with. Install it (apt-get install chromium), or name it: CHROMIUM=/path/to/chromium npm test"
