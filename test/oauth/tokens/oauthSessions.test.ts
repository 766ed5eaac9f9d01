import { runForgetful, runOnNode } from "../../sessions/accountServices.ts"
import { oauthSessionsContract } from "./oauthSessions.contract.ts"

oauthSessionsContract("node:sqlite", runOnNode)
oauthSessionsContract("an object that sleeps before each call", runForgetful)
