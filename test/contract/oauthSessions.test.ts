import { runOnNode } from "../node/auth/support.ts"
import { oauthSessionsContract } from "./oauthSessions.suite.ts"

oauthSessionsContract("node:sqlite", runOnNode)
