import * as Context from "effect/Context"
import type { Catalog } from "../../core/lexicon/Catalog.ts"
import { builtIn } from "../../core/lexicon/Lexicons.ts"

/** The lexicons that validate methods and records: the network's, and those that a Worker adds. */
export const KnownLexicons = Context.Reference<Catalog>("nacre/services/KnownLexicons", {
  defaultValue: () => builtIn
})
