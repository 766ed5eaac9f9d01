import { runForgetful, runOnNode } from "../sessions/accountServices.ts"
import { accountCodesContract } from "./accountCodes.contract.ts"

accountCodesContract("node:sqlite", runOnNode)
accountCodesContract("an object that sleeps before each call", runForgetful)
