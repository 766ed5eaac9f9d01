import { runForgetful, runOnNode } from "../node/auth/support.ts"
import { arrivalContract } from "./arrival.suite.ts"

arrivalContract("node:sqlite", runOnNode)
arrivalContract("an object that sleeps before each call", runForgetful)
