import * as Context from "effect/Context"
import type { Tables } from "../../../core/backups/rows.ts"

/** The rows of an account's object that are under the master key. */
export class SecretRows extends Context.Service<
  SecretRows,
  {
    read(): Tables
    /** Replaces rows; an authenticator's secret only if it is still the one in `before`. */
    replace(before: Tables, after: Tables): void
  }
>()("nacre/services/SecretRows") {}
