import { runForgetful, runOnNode } from "./accountServices.ts"
import { appPasswordsContract } from "./appPasswords.contract.ts"

appPasswordsContract("node:sqlite", runOnNode)
appPasswordsContract("an object that sleeps before each call", runForgetful)
