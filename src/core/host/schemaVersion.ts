/**
 * The version of the stored data's format.
 *
 * Increase it for a change whose data older code can't read. A table or column that older code
 * ignores needs no new version.
 */
export const schemaVersion = 1

/** Thrown for stored data of a newer format, which this code must neither read nor write. */
export class StoredByNewerVersion extends Error {
  override readonly name = "StoredByNewerVersion"
  constructor(found: number) {
    super(
      `The data has schema version ${found}, and this version of Nacre knows ${schemaVersion}: deploy the newer version again`
    )
  }
}
