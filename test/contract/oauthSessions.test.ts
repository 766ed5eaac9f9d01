import { runForgetful, runOnNode } from "../node/auth/support.ts"
import { oauthSessionsContract } from "./oauthSessions.suite.ts"

oauthSessionsContract("node:sqlite", runOnNode)
oauthSessionsContract("an object that sleeps before each call", runForgetful)
