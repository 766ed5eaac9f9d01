import type { ScryptCost } from "../../src/services/sessions/Passwords.ts"

/** The lowest cost that scrypt allows: in-process test servers hash thousands of passwords. */
export const cheapPasswords: ScryptCost = { logN: 1, r: 8, p: 1 }
