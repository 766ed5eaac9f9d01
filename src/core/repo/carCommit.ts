import { CarParser, InvalidCar } from "./carParser.ts"
import { decodeForeignCommit, type ForeignCommit, InvalidCommit } from "./commit.ts"

/** The commit at the beginning of a CAR, unverified; undefined if the CAR doesn't begin with one. */
export const commitAtStart = (head: Uint8Array): ForeignCommit | undefined => {
  try {
    const parser = new CarParser({ isLenient: true })
    parser.push(head)
    const block = parser.next()
    return block === undefined ? undefined : decodeForeignCommit(block.bytes)
  } catch (error) {
    if (error instanceof InvalidCar || error instanceof InvalidCommit) return undefined
    throw error
  }
}
