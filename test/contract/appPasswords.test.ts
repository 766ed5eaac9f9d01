import { runOnNode } from "../node/auth/support.ts"
import { appPasswordsContract } from "./appPasswords.suite.ts"

appPasswordsContract("node:sqlite", runOnNode)
