import { runOnNode } from "../node/auth/support.ts"
import { passkeysContract } from "./passkeys.suite.ts"

passkeysContract("node:sqlite", runOnNode)
