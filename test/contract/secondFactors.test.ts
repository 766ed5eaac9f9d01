import { runOnNode } from "../node/auth/support.ts"
import { secondFactorsContract } from "./secondFactors.suite.ts"

secondFactorsContract("node:sqlite", runOnNode)
