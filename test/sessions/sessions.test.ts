import { runForgetful, runOnNode } from "./accountServices.ts"
import { sessionsContract } from "./sessions.contract.ts"

sessionsContract("node:sqlite", runOnNode)
sessionsContract("an object that sleeps before each call", runForgetful)
