import { runForgetful, runOnNode } from "../node/auth/support.ts"
import { passkeysContract } from "./passkeys.suite.ts"

passkeysContract("node:sqlite", runOnNode)
passkeysContract("an object that sleeps before each call", runForgetful)
