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

/** Keys in one tree node: only keys mined for their hashes exceed it. */
export const maxNodeEntries = 256

/** A block in a CAR from outside: a record, or a node with the most keys of the largest size. */
export const maxCarBlock = 2_000_000

/** The header of a CAR from outside, in bytes. */
export const maxCarHeader = 4096
