import { runForgetful, runOnNode } from "../sessions/accountServices.ts"
import { accountHistoryContract, awakeHistoryContract } from "./accountHistory.contract.ts"

accountHistoryContract("node:sqlite", runOnNode)
accountHistoryContract("an object that sleeps before each call", runForgetful)
awakeHistoryContract(runOnNode)
