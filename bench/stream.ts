/**
 * What a post costs with subscribers, and when its frame has reached all of them.
 */
import type { BenchAccount } from "./account.ts"
import type { Floor } from "./floor.ts"
import { connect, type Connection } from "./http.ts"
import { type Found, percentile } from "./measure.ts"
import { cpuOf } from "./server.ts"
import { clock, openSubscribers, type Subscribers } from "./subscribers.ts"

/** A server with subscribers, and how to post in it. */
export interface Audience {
  readonly pid: number
  readonly client: Connection
  readonly subscribers: Subscribers
  readonly post: (one: Connection) => Promise<unknown>
}

/** The numbers of some posts, in milliseconds. */
export interface PostCosts {
  /** CPU of the server's process for each post. */
  readonly cpu: number
  /** From the response until the last subscriber has the frame; negative if that comes first. */
  readonly after: ReadonlyArray<number>
  /** From the request until then: on one thread, a frame that comes sooner may delay the response. */
  readonly whole: ReadonlyArray<number>
}

/** Where the floor's Worker accepts subscribers. */
export const floorPath = "/subscribe"

/** Opens the subscribers of a server, or of the floor's Worker. */
export const openAudience = async (
  url: string,
  count: number,
  rest: Omit<Audience, "subscribers">,
  at?: string
): Promise<Audience> => ({ ...rest, subscribers: await openSubscribers(url, count, at) })

/** Posts one after another, each after the frame of the one before. */
export const post = async (
  { pid, client, subscribers, post: run }: Audience,
  count: number
): Promise<PostCosts> => {
  const before = cpuOf(pid)
  const after: Array<number> = []
  const whole: Array<number> = []
  for (let nth = 0; nth < count; nth++) {
    const asked = clock()
    await run(client)
    const answered = clock()
    const received = await subscribers.received()
    after.push(received - answered)
    whole.push(received - asked)
  }
  return { cpu: (cpuOf(pid) - before) / count, after, whole }
}

/** The medians and the 99th percentile of several turns. */
export const summary = (turns: ReadonlyArray<PostCosts>) => {
  const after = turns.flatMap((turn) => turn.after)
  return {
    cpu: percentile(
      turns.map(({ cpu }) => cpu),
      0.5
    ),
    p50: percentile(after, 0.5),
    p99: percentile(after, 0.99),
    whole: percentile(
      turns.flatMap((turn) => turn.whole),
      0.5
    )
  }
}

/** Posts of a turn with so many subscribers. */
export const sizes = { 1: 40, 50: 30, 1000: 8 } as const

/** Where posts go in a comparison of servers and floor. */
export interface Stage {
  readonly server: { readonly workerd: number }
  readonly account: BenchAccount
}

/** Subscribers of a server. */
export const ofServer = ({ server, account }: Stage, count: number): Promise<Audience> =>
  openAudience(account.url, count, {
    pid: server.workerd,
    client: account.client,
    post: account.createRecord
  })

/**
 * Subscribers of the floor's Worker: for each post, an object commits and calls another, which
 * commits the frame and sends it to all of them.
 */
export const ofFloor = async (floor: Floor, count: number): Promise<Audience> => {
  const toFloor = floor.calls(new Uint8Array())["post"]
  if (toFloor === undefined) throw new Error("the floor has no posts")
  const client = await connect(floor.url)
  return openAudience(floor.url, count, { pid: floor.pid, client, post: toFloor }, floorPath)
}

/** Runs turns in an alternating order, after one that doesn't count. */
export const alternate = async (
  audiences: ReadonlyArray<Audience>,
  posts: number,
  rounds: number
): Promise<ReadonlyArray<ReadonlyArray<PostCosts>>> => {
  const found = audiences.map((): Array<PostCosts> => [])
  const each = audiences.map((audience, at) => async () => {
    found[at]?.push(await post(audience, posts))
  })
  for (const turn of each) await turn()
  for (const costs of found) costs.length = 0
  for (let round = 0; round < rounds; round++) {
    for (const turn of round % 2 === 0 ? each : each.toReversed()) await turn()
  }
  for (const { subscribers } of audiences) await subscribers.close()
  return found
}

/** What `audiences` finds. */
export const streamRows = [
  ["frame1", "frame after the response, 1 subscriber, p50, ms", "≤ 1"],
  ["frame1Floor", "… of two bare objects, one of which calls the other, ms", ""],
  ["frame1P99", "… p99, ms", ""],
  ["whole1", "frame after the request, 1 subscriber, p50, ms", ""],
  ["whole1Floor", "… of two bare objects, ms", ""],
  ["frame50", "frame after the response, 50 subscribers, p50, ms", "≤ 2"],
  ["frame50Floor", "… of two bare objects, ms", ""],
  ["frame50P99", "… p99, ms", ""],
  ["cpu50", "CPU of a post, 50 subscribers, ms", "≤ 4"],
  ["cpu50Floor", "… of the floor, which sends as many frames, ms", ""],
  ["cpu1000", "CPU of a post, 1,000 subscribers, ms", "≤ 12"],
  ["cpu1000Floor", "… of the floor, ms", ""]
] as const

/** A post's costs with 1, 50 and 1,000 subscribers, beside the floor. */
export async function audiences(
  { floor, ...stage }: Stage & { readonly floor: Floor },
  rounds: number
): Promise<Found> {
  const found: Found = {}
  for (const [name, posts] of Object.entries(sizes)) {
    const count = Number(name)
    const pair = [await ofServer(stage, count), await ofFloor(floor, count)]
    const [ours, raw] = (await alternate(pair, posts, rounds)).map(summary)
    Object.assign(found, {
      [`frame${count}`]: ours?.p50,
      [`frame${count}Floor`]: raw?.p50,
      [`frame${count}P99`]: ours?.p99,
      [`whole${count}`]: ours?.whole,
      [`whole${count}Floor`]: raw?.whole,
      [`cpu${count}`]: ours?.cpu,
      [`cpu${count}Floor`]: raw?.cpu
    })
  }
  return found
}
