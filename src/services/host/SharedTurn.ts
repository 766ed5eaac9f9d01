import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/** The longest that an input waits for others, in milliseconds. */
const patience = 2

/**
 * Lets requests that arrive together continue in one turn, whose changes the platform commits to
 * the disk once.
 */
export class SharedTurn extends Context.Service<
  SharedTurn,
  {
    /** Continues with an input once no other is on its way: at once if it comes alone. */
    join<A>(input: Promise<A>): Promise<A>
  }
>()("nacre/services/SharedTurn") {}

/** Inputs that wait for each other. */
interface Round {
  coming: number
  readonly here: Array<() => void>
  timer: ReturnType<typeof setTimeout> | undefined
}

const newRound = (): Round => ({ coming: 0, here: [], timer: undefined })

const make = (): SharedTurn["Service"] => {
  let round = newRound()

  const begin = ({ here, timer }: Round): void => {
    clearTimeout(timer)
    round = newRound()
    for (const go of here) go()
  }

  const wait = (mine: Round): Promise<void> | undefined => {
    mine.coming -= 1
    // Others came with it, but continued without it.
    const isLate = mine !== round
    if (isLate || (mine.coming === 0 && mine.here.length === 0)) return undefined
    return new Promise((go) => {
      mine.here.push(go)
      if (mine.coming === 0) begin(mine)
      else mine.timer ??= setTimeout(begin, patience, mine)
    })
  }

  return SharedTurn.of({
    join: (input) => {
      const mine = round
      mine.coming += 1
      return input.finally(() => wait(mine))
    }
  })
}

/** The turns of this object's requests. */
export const layer: Layer.Layer<SharedTurn> = Layer.sync(SharedTurn, make)
