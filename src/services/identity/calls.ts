import { changeOwnerKeys } from "./ownerKeys.ts"
import { createMoveToken } from "./moveToken.ts"

/** The account pages' calls to the object for the account's identity. */
export const identityCalls = { changeOwnerKeys, createMoveToken }
