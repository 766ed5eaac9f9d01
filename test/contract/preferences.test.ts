import { runOnNode } from "../node/auth/support.ts"
import { preferencesContract } from "./preferences.suite.ts"

preferencesContract("node:sqlite", runOnNode)
