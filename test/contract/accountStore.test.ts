import { runForgetful, runOnNode } from "../node/auth/support.ts"
import { accountStoreContract } from "./accountStore.suite.ts"

accountStoreContract("node:sqlite", runOnNode)
accountStoreContract("an object that sleeps before each call", runForgetful)
