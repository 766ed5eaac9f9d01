import { afterAll, beforeAll } from "@effect/vitest"
import type { TestServer } from "../support/server/server.ts"
import { startMemory } from "../support/server/serverMemory.ts"
import { clientSuite } from "./client.suite.ts"
import { firehoseSuite } from "../stream/firehose.suite.ts"
import { lifeSuite } from "./life.suite.ts"
import { refusalSuite } from "./refusal.suite.ts"
import { repoSuite } from "./repo.suite.ts"

let running: TestServer

beforeAll(async () => {
  running = await startMemory()
})
afterAll(() => running?.stop())

// The life is first: its consumers read the log from the start, and verify all of it.
for (const suite of [lifeSuite, clientSuite, repoSuite, refusalSuite, firehoseSuite]) {
  suite("the memory server", () => running)
}
