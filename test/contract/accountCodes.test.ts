import { runForgetful, runOnNode } from "../node/auth/support.ts"
import { accountCodesContract } from "./accountCodes.suite.ts"

accountCodesContract("node:sqlite", runOnNode)
accountCodesContract("an object that sleeps before each call", runForgetful)
