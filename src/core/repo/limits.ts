/** A record block, encoded. */
export const maxRecordBytes = 1_000_000

/** Operations in one commit. */
export const maxOps = 200

/** The `blocks` of one #commit event. */
export const maxBlocksBytes = 2_000_000

/** Nested arrays and objects in one value. */
export const maxDepth = 32

/** A tree key, `collection/rkey`. */
export const maxKeyBytes = 1024

/** Keys in one tree node: chance never makes so many, only keys mined for their hashes do. */
export const maxNodeEntries = 256

/** A block accepted from outside in a CAR: a record, or a node of the most keys of the greatest size. */
export const maxCarBlock = 2_000_000

/** Roots in the header of a CAR accepted from outside. */
export const maxCarHeader = 4096
