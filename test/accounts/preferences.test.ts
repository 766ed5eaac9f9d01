import { runForgetful, runOnNode } from "../sessions/accountServices.ts"
import { preferencesContract } from "./preferences.contract.ts"

preferencesContract("node:sqlite", runOnNode)
preferencesContract("an object that sleeps before each call", runForgetful)
