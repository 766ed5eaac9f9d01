import { runOnNode } from "../node/auth/support.ts"
import { passkeyLinksContract } from "./passkeyLinks.suite.ts"

passkeyLinksContract("node:sqlite", runOnNode)
