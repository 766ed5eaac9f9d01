import { runForgetful, runOnNode } from "../node/auth/support.ts"
import { preferencesContract } from "./preferences.suite.ts"

preferencesContract("node:sqlite", runOnNode)
preferencesContract("an object that sleeps before each call", runForgetful)
