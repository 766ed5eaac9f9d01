import { runOnNode } from "../node/auth/support.ts"
import { sessionsContract } from "./sessions.suite.ts"

sessionsContract("node:sqlite", runOnNode)
