import { changeOwnerKeys } from "./ownerKeys.ts"

/** The account pages' calls to the object for the account's identity. */
export const identityCalls = { changeOwnerKeys }
