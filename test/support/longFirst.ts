import { BaseSequencer, type TestSpecification } from "vitest/node"

/** Files that take long, whatever their size, from the longest; all others come by their size. */
const long = [
  /\.browser\.test\.ts$/,
  /test\/clients\/.*\.server\.test\.ts$/,
  /\.server\.test\.ts$/,
  /test\/cli\/move\//,
  /test\/backups\/burnDown/,
  /test\/host\/start\.test\.ts$/,
  /test\/host\/http\/fuzz/,
  /test\/cli\//
]

const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = long.findIndex((pattern) => pattern.test(moduleId))
  return rank === -1 ? long.length : rank
}

/** Starts long files first: one that starts last leaves a core without work. */
export class LongFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    // oxlint-disable-next-line unicorn/no-array-sort -- the method of a sequencer, not of an array
    const sorted = await super.sort(files)
    const projects = [...new Set(sorted.map(({ project }) => project))]
    // A worker is only used again by the next file of its project.
    return projects.flatMap((project) =>
      sorted.filter((file) => file.project === project).toSorted((a, b) => rankOf(a) - rankOf(b))
    )
  }
}
