import { runForgetful, runOnNode } from "../sessions/accountServices.ts"
import { secondFactorsContract } from "./secondFactors.contract.ts"

secondFactorsContract("node:sqlite", runOnNode)
secondFactorsContract("an object that sleeps before each call", runForgetful)
