import { runForgetful, runOnNode } from "../sessions/accountServices.ts"
import { accountStoreContract } from "./accountStore.contract.ts"

accountStoreContract("node:sqlite", runOnNode)
accountStoreContract("an object that sleeps before each call", runForgetful)
