import { runForgetful, runOnNode } from "../node/auth/support.ts"
import { appPasswordsContract } from "./appPasswords.suite.ts"

appPasswordsContract("node:sqlite", runOnNode)
appPasswordsContract("an object that sleeps before each call", runForgetful)
