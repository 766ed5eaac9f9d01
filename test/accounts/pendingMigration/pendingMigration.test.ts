import { runForgetful, runOnNode } from "../../sessions/accountServices.ts"
import { arrivalContract } from "./pendingMigration.contract.ts"

arrivalContract("node:sqlite", runOnNode)
arrivalContract("an object that sleeps before each call", runForgetful)
