import { runForgetful, runOnNode } from "../node/auth/support.ts"
import { passkeyLinksContract } from "./passkeyLinks.suite.ts"

passkeyLinksContract("node:sqlite", runOnNode)
passkeyLinksContract("an object that sleeps before each call", runForgetful)
