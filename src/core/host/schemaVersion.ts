/**
 * The version of the form in which every store keeps its data.
 *
 * Raise it with a change after which the code before it can't read what the new code writes. A table or column that
 * older code overlooks needs no new version.
 */
export const schemaVersion = 1

/** Thrown when a store's data has a newer form than this code knows: nothing may be read or written then. */
export class StoredByNewerVersion extends Error {
  override readonly name = "StoredByNewerVersion"
  constructor(found: number) {
    super(
      `The data has schema version ${found}, and this version of Nacre knows ${schemaVersion}: deploy the newer version again`
    )
  }
}
