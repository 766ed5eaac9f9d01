/** Chance that the same seed repeats. */
export interface Random {
  readonly next: () => number
  /** An integer from `from` to `to`, inclusive. */
  readonly between: (from: number, to: number) => number
  readonly pick: <A>(list: ReadonlyArray<A>) => A | undefined
  readonly bytes: (length: number) => Buffer
  /** A separate generator for one part of the run. */
  readonly fork: () => Random
}

/** A seeded generator (mulberry32): the same seed gives the same run. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    next,
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
    pick: (list) => list[Math.floor(next() * list.length)],
    bytes: (length) => Buffer.from(Array.from({ length }, () => Math.floor(next() * 256))),
    fork: () => seeded(Math.floor(next() * 4_294_967_296))
  }
}
