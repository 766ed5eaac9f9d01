import { runOnNode } from "../node/auth/support.ts"
import { accountCodesContract } from "./accountCodes.suite.ts"

accountCodesContract("node:sqlite", runOnNode)
