import type { Credentials } from "../accounts/AccountCalls.ts"
import type { Imported } from "./RepoImport.ts"

/** What the account's object does for an import: the Worker brings the bytes to the blob store in between. */
export interface ImportCalls {
  /** May this caller import a CAR of this size? */
  authorizeImport: {
    input: Credentials & { readonly size?: number }
    /** Where to stage it: noted before the first byte, so that what nobody imports is swept like an upload. */
    output: { readonly key: string; readonly limit: number }
  }
  /** Imports the CAR that is staged under a key, and removes it. */
  importRepo: { input: { readonly key: string }; output: Imported }
}
