import * as DirectorySql from "./DirectorySql.ts"

/** Everything that the host keeps in its database. */
export const layer = DirectorySql.layer
