import type { Cid } from "../../core/repo/cid.ts"
import type { Examined } from "../../services/repo/RepoRepair.ts"

/** Problems in words, and paths named. */
const mostProblems = 100
const mostPaths = 1000

/** A list that keeps its first items and counts them all. */
export class Named {
  readonly paths: Array<string> = []
  count = 0
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  add(path: string): void {
    this.count += 1
    if (this.paths.length < this.#most) this.paths.push(path)
  }
}

/** What an examination finds, in words. */
export class Findings {
  readonly dropped = new Named(mostPaths)
  readonly damaged = new Named(mostPaths)
  readonly #missing = new Named(mostProblems)
  #lostNodes = 0
  #isTreeReported = false
  readonly #problems = new Named(mostProblems)

  say(problem: string): void {
    this.#problems.add(problem)
  }

  lostNode(cid: Cid, reason: string): void {
    this.#lostNodes += 1
    this.tree(`the tree node ${cid} can't be read: ${reason}`)
  }

  /** A problem of the tree. */
  tree(problem: string): void {
    this.#isTreeReported = true
    this.say(problem)
  }

  dropEntry(path: string): void {
    this.dropped.add(path)
    this.tree(`the tree names ${path}, which has no record`)
  }

  damage(path: string, reason: string): void {
    this.damaged.add(path)
    this.say(`the record ${path} is damaged: ${reason}`)
  }

  missing(path: string): void {
    this.#missing.add(path)
  }

  /** Ends the comparison of the tree with that of the records. */
  endTree(isSame: boolean): void {
    const { count, paths } = this.#missing
    if (count > 0 && this.#lostNodes > 0) {
      this.tree(`${count} records aren't in the readable part of the tree`)
    } else {
      for (const path of paths) this.tree(`the record ${path} is missing in the tree`)
      if (count > paths.length) this.tree(`${count - paths.length} more records are missing in it`)
    }
    if (!isSame && !this.#isTreeReported) this.tree("the tree isn't the one of the records")
  }

  seen(rev: string, records: number, nodes: number): Examined {
    return {
      rev,
      records,
      nodes,
      found: this.#problems.count,
      problems: this.#problems.paths,
      dropped: this.dropped.paths,
      droppedCount: this.dropped.count,
      damaged: this.damaged.paths,
      damagedCount: this.damaged.count
    }
  }
}
