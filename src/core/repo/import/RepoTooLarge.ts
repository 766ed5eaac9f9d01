/** Thrown for a repo that is in order but larger than can be imported. */
export class RepoTooLarge extends Error {
  override readonly name = "RepoTooLarge"
}
