/** Thrown for a valid repo that is too large to import. */
export class RepoTooLarge extends Error {
  override readonly name = "RepoTooLarge"
}
