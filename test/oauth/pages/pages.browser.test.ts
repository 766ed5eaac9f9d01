import { afterAll, beforeAll } from "@effect/vitest"
import { attacksSuite } from "./attacks.browser.suite.ts"
import { factorsSuite } from "../../factors/factors.browser.suite.ts"
import { passkeyLinkSuite } from "../../factors/passkeyLink.browser.suite.ts"
import { recoveryKeySuite } from "../../identity/changes/recoveryKey.browser.suite.ts"
import { redirectSuite } from "./redirect.browser.suite.ts"
import { membersSuite } from "../../pages/members.browser.suite.ts"
import { moveInSuite } from "../../pages/moveIn/moveIn.browser.suite.ts"
import { archiveImportSuite } from "../../backups/archiveImport.browser.suite.ts"
import { ownDataSuite } from "../../pages/ownData.browser.suite.ts"
import { serverAppSuite } from "./serverApp.browser.suite.ts"
import { waysSuite } from "./ways.browser.suite.ts"
import { type BrowserWorld, startBrowserWorld } from "../../support/browser/world.ts"

let world: BrowserWorld

beforeAll(async () => {
  world = await startBrowserWorld()
})
afterAll(() => world?.close())

for (const suite of [
  redirectSuite,
  waysSuite,
  factorsSuite,
  passkeyLinkSuite,
  recoveryKeySuite,
  ownDataSuite,
  membersSuite,
  moveInSuite,
  archiveImportSuite,
  serverAppSuite,
  attacksSuite
])
  suite(() => world)
