import type { ScryptCost } from "../../src/services/sessions/Passwords.ts"

/** The least that scrypt takes: servers in the tests' own process hash thousands of passwords. */
export const cheapPasswords: ScryptCost = { logN: 1, r: 8, p: 1 }
