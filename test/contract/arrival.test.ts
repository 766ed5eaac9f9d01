import { runOnNode } from "../node/auth/support.ts"
import { arrivalContract } from "./arrival.suite.ts"

arrivalContract("node:sqlite", runOnNode)
