import { runForgetful, runOnNode } from "../node/auth/support.ts"
import { sessionsContract } from "./sessions.suite.ts"

sessionsContract("node:sqlite", runOnNode)
sessionsContract("an object that sleeps before each call", runForgetful)
