import { runForgetful, runOnNode } from "../sessions/accountServices.ts"
import { passkeyLinksContract } from "./passkeyLinks.contract.ts"

passkeyLinksContract("node:sqlite", runOnNode)
passkeyLinksContract("an object that sleeps before each call", runForgetful)
