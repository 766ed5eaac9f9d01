import { runOnNode } from "../node/auth/support.ts"
import { accountStoreContract } from "./accountStore.suite.ts"

accountStoreContract("node:sqlite", runOnNode)
