/**
 * A post to each of many accounts whose objects were evicted: several servers and the floor in
 * turns.
 */
import type { BenchAccount } from "./account.ts"
import { type Open, signUp } from "./crowd.ts"
import type { Floor } from "./floor.ts"
import { connect } from "./http.ts"
import { percentile } from "./measure.ts"
import { cpuOf } from "./server.ts"
import type { Stage } from "./stream.ts"

/** Objects that wake in a round, and in one turn of it. */
const objects = 48
const inTurn = 8

/**
 * workerd evicts an object after ten seconds without a request; a post's alarm comes two seconds
 * after it.
 */
const untilEvicted = 14_000

/** Evicted objects, and how to wake each. */
export interface Sleepers {
  readonly pid: number
  readonly wake: ReadonlyArray<() => Promise<unknown>>
}

/** Milliseconds of each waking: CPU of the process by turn, and until each response. */
export interface Wakings {
  readonly cpu: Array<number>
  readonly whole: Array<number>
  /** CPU of a round's first, which wakes the log's object too, and finds no code in the caches. */
  readonly first: Array<number>
}

/** Accounts of a server, each with some records. */
export const ofServer = async (
  { server, account }: Stage & { readonly server: Open },
  size: number
): Promise<Sleepers> => {
  const people: Array<BenchAccount> = []
  for (let nth = 0; nth < objects; nth++) {
    const one = await signUp(server, account.client, nth)
    for (let left = size; left > 0; left -= 200) {
      await one.applyWrites(account.client, Math.min(200, left))
    }
    people.push(one)
  }
  return {
    pid: server.workerd,
    wake: people.map((one) => () => one.createRecord(account.client))
  }
}

/** Bare objects, which commit three rows. */
export const ofFloor = async (floor: Floor): Promise<Sleepers> => {
  const client = await connect(floor.url)
  const wake = Array.from({ length: objects }, (_, nth) => () => floor.once(client, `${nth}`))
  for (const one of wake) await one()
  return { pid: floor.pid, wake }
}

const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds))

const turn = async ({ pid, wake }: Sleepers, from: number, found: Wakings) => {
  const before = cpuOf(pid)
  for (let nth = from; nth < from + inTurn; nth++) {
    const start = performance.now()
    await wake[nth]?.()
    found.whole.push(performance.now() - start)
    if (nth === 0) found.first.push(cpuOf(pid) - before)
  }
  // What follows the last response counts too.
  await pause(20)
  found.cpu.push((cpuOf(pid) - before) / inTurn)
}

/** Wakes every object once a round; the sides take turns. */
export const wakings = async (
  sides: ReadonlyArray<Sleepers>,
  rounds: number
): Promise<ReadonlyArray<Wakings>> => {
  const found = sides.map((): Wakings => ({ cpu: [], whole: [], first: [] }))
  let turns = 0
  for (let round = 0; round < rounds; round++) {
    await pause(untilEvicted)
    for (let from = 0; from < objects; from += inTurn) {
      const order = turns++ % 2 === 0 ? [...sides.keys()] : [...sides.keys()].toReversed()
      for (const at of order) await turn(sides[at]!, from, found[at]!)
    }
  }
  return found
}

/** The table's head. */
export const wakeHead = [
  "evicted objects",
  "CPU, ms: old",
  "new",
  "new / old",
  "floor",
  "p50, ms: old",
  "new",
  "floor",
  "CPU of the first, ms: old",
  "new",
  "floor"
]

/** The table's numbers, of old, new and floor. */
export const summary = (found: ReadonlyArray<Wakings>): ReadonlyArray<number> => {
  const median = (values: ReadonlyArray<number>) => percentile(values, 0.5)
  const [old, now] = found
  const ratios = now?.cpu.map((cpu, at) => cpu / (old?.cpu[at] ?? Number.NaN)) ?? []
  return [
    ...found.map(({ cpu }) => median(cpu)).toSpliced(2, 0, median(ratios)),
    ...found.map(({ whole }) => median(whole)),
    ...found.map(({ first }) => median(first))
  ]
}
