import { afterAll, beforeAll } from "@effect/vitest"
import { startWorker, type TestServer } from "../support/server/server.ts"
import { clientSuite } from "./client.suite.ts"
import { firehoseSuite } from "../stream/firehose.suite.ts"
import { lifeSuite } from "./life.suite.ts"
import { refusalSuite } from "./refusal.suite.ts"
import { repoSuite } from "./repo.suite.ts"

let running: TestServer

beforeAll(async () => {
  running = await startWorker()
})
afterAll(() => running?.stop())

for (const suite of [clientSuite, repoSuite, refusalSuite, firehoseSuite, lifeSuite])
  suite("the Worker", () => running)
