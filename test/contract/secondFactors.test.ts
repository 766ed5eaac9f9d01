import { runForgetful, runOnNode } from "../node/auth/support.ts"
import { secondFactorsContract } from "./secondFactors.suite.ts"

secondFactorsContract("node:sqlite", runOnNode)
secondFactorsContract("an object that sleeps before each call", runForgetful)
