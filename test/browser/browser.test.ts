import { afterAll, beforeAll } from "@effect/vitest"
import { attacksSuite } from "./attacks.suite.ts"
import { factorsSuite } from "./factors.suite.ts"
import { passkeyLinkSuite } from "./passkeyLink.suite.ts"
import { redirectSuite } from "./redirect.suite.ts"
import { serverAppSuite } from "./serverApp.suite.ts"
import { waysSuite } from "./ways.suite.ts"
import { type BrowserWorld, startBrowserWorld } from "./world.ts"

let world: BrowserWorld

beforeAll(async () => {
  world = await startBrowserWorld()
}, 60_000)
afterAll(() => world?.close())

for (const suite of [
  redirectSuite,
  waysSuite,
  factorsSuite,
  passkeyLinkSuite,
  serverAppSuite,
  attacksSuite
])
  suite(() => world)
