import { BaseSequencer, type TestSpecification } from "vitest/node"

/** Files that take long, whatever their size, from the longest; all others come by their size. */
const long = [
  /\.browser\.test\.ts$/,
  /test\/clients\/.*\.server\.test\.ts$/,
  /\.server\.test\.ts$/,
  /test\/accounts\/account\.workerd/,
  /test\/cli\/move\//,
  /test\/backups\/burnDown/,
  /test\/host\/start\.test\.ts$/,
  /test\/host\/http\/fuzz/,
  /test\/repo\/repo\./,
  /test\/blobs\/blobStore/,
  /test\/repo\/import\//,
  /test\/cli\//
]

/** Files of the project `node` are last: many take milliseconds, so no core is left without work. */
const projects = ["browser", "workerd"]

const rankOf = ({ moduleId, project }: TestSpecification): number => {
  const rank = long.findIndex((pattern) => pattern.test(moduleId))
  const order = projects.indexOf(project.name)
  // A worker is only used again by the next file of its project.
  const before = (order === -1 ? projects.length : order) * (long.length + 1)
  return before + (rank === -1 ? long.length : rank)
}

/** Starts long files first: one that starts last leaves a core without work. */
export class LongFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    // oxlint-disable-next-line unicorn/no-array-sort -- the method of a sequencer, not of an array
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => rankOf(a) - rankOf(b))
  }
}
