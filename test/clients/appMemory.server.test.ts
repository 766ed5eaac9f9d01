import { startMemory } from "../support/server/serverMemory.ts"
import { appSuite } from "./app.suite.ts"

// Its blobs are in memory: a small film will do.
appSuite("the memory server", { start: startMemory, video: 5, keepsEncoding: false })
