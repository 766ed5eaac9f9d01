import { runForgetful, runOnNode } from "../sessions/accountServices.ts"
import { passkeysContract } from "./passkeys.contract.ts"

passkeysContract("node:sqlite", runOnNode)
passkeysContract("an object that sleeps before each call", runForgetful)
