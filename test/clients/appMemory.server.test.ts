import { startMemory } from "../support/server/serverMemory.ts"
import { appSuite } from "./app.suite.ts"

// Its blobs are in memory, so a small film suffices.
appSuite("the memory server", { start: startMemory, video: 5, keepsEncoding: false })
