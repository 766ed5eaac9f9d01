import { startWorker } from "../support/server/server.ts"
import { appSuite } from "./app.suite.ts"

appSuite("the Worker", { start: startWorker, video: 100, keepsEncoding: true })
