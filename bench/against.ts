/**
 * Compares this tree with another commit, or with Cirrus: both servers and the floor run at once,
 * and take turns.
 */
import { execFileSync } from "node:child_process"
import { existsSync, symlinkSync } from "node:fs"
import { join, resolve } from "node:path"
import { openAccount } from "./account.ts"
import { blob, type Call, calls, proxied, type Run } from "./calls.ts"
import { startCirrus } from "./cirrus.ts"
import { type Floor, openFloor } from "./floor.ts"
import { connect, type Connection } from "./http.ts"
import { percentile, perSecond, short, table } from "./measure.ts"
import { openUpstream } from "./proxy.ts"
import { alternate, ofFloor, ofServer as audienceOf, sizes, type Stage, summary } from "./stream.ts"
import { type BenchServer, cpuOf, startServer, temporaryFolder } from "./server.ts"
import * as waking from "./waking.ts"

const root = resolve(import.meta.dirname, "..")

/** The measurements of posts, by name, with their number of subscribers. */
const streams: ReadonlyMap<string, number> = new Map(
  Object.keys(sizes).map((count) => [`stream${count}`, Number(count)])
)

/** What a comparison can measure. */
export const comparable: ReadonlyArray<string> = [...Object.keys(calls), ...streams.keys(), "wake"]

/** What is measured without a choice of methods. */
const usual = ["createRecord", "getRecord", "describeServer"]

export interface AgainstOptions {
  /** A commit, or `cirrus:` and the folder of a build of Cirrus. */
  readonly other: string
  readonly only: ReadonlyArray<string> | undefined
  readonly rounds: number
  /** Records in each repo. */
  readonly size: number
  readonly milliseconds: number
  readonly clients: number
  readonly say: (text: string) => void
}

/** The servers of a comparison: the other one is called old, Cirrus too. */
type Side = "old" | "new"

/** Starts a server over an empty folder. */
type Start = (
  dataDir: string
) => Promise<Pick<BenchServer, "url" | "workerd" | "stop"> & Parameters<typeof openAccount>[0]>

interface Target {
  readonly name: Side | "floor"
  readonly pid: number
  readonly clients: ReadonlyArray<Connection>
  run: Run
}

/** One turn of a target: how long a request took the CPU, in milliseconds, and how many a second. */
async function turn({ pid, clients, run }: Target, milliseconds: number) {
  const before = cpuOf(pid)
  let runs = 0
  const rate = await perSecond(clients, milliseconds, async (client) => {
    await run(client)
    runs += 1
  })
  return { cpu: (cpuOf(pid) - before) / runs, rate }
}

/** Requests until the server's code is compiled: on a busy machine, a time would end too early. */
const usualWarmUps = 2000

async function warmUp({ clients, run }: Target, warmUps = usualWarmUps) {
  let left = warmUps
  await Promise.all(
    clients.map(async (client) => {
      while (left-- > 0) await run(client)
    })
  )
}

/** Prints CPU a request and requests a second of some clients: the medians of all rounds. */
export async function against(options: AgainstOptions): Promise<void> {
  const { rounds, size, milliseconds, say } = options
  const names = options.only ?? usual
  const ends: Array<() => Promise<void> | void> = []
  try {
    const folderOf = (name: string) => {
      const { folder, remove } = temporaryFolder(name)
      ends.push(remove)
      return folder
    }
    const open = async (name: Side, start: Start) => {
      const server = await start(folderOf("bench"))
      ends.push(() => server.stop())
      const account = await openAccount(server)
      say(`${name}: ${size} records …`)
      for (let left = size; left > 0; left -= 200) {
        await account.applyWrites(account.client, Math.min(200, left))
      }
      return { server, account }
    }
    const upstream = names.includes(proxied) ? await openUpstream() : undefined
    if (upstream !== undefined) ends.push(upstream.close)
    const env = upstream?.env ?? {}
    const starting = (): Start => {
      const [, cirrus] = /^cirrus:(.+)$/.exec(options.other) ?? []
      if (cirrus !== undefined) return (dataDir) => startCirrus(cirrus, dataDir)
      say(`checking out ${options.other} …`)
      const { tree, remove } = checkOut(options.other, folderOf("against"))
      ends.push(remove)
      return (dataDir) => startServer({ dataDir, tree, env })
    }
    const old = await open("old", starting())
    const now = await open("new", (dataDir) => startServer({ dataDir, env }))
    const floor = await openFloor(upstream?.url)
    ends.push(() => floor.close())
    const rows = [
      [
        `clients: ${options.clients}`,
        "CPU, ms: old",
        "new",
        "new / old",
        "floor",
        "floor / new",
        "/s: old",
        "new",
        "new / old",
        "new / floor"
      ]
    ]
    const posts: Array<ReadonlyArray<string>> = []
    const wakes: Array<ReadonlyArray<string>> = []
    for (const name of names) {
      const call = calls[name]
      const subscribers = streams.get(name)
      say(`${name} …`)
      if (subscribers !== undefined) {
        posts.push(await streamRow(name, subscribers, Math.ceil(rounds / 4), { old, now, floor }))
        continue
      }
      if (name === "wake") {
        wakes.push(await wakeRow(size, Math.ceil(rounds / 4), { old, now, floor }))
        continue
      }
      if (call === undefined) throw new Error(`unknown: ${name}; known: ${comparable.join(", ")}`)
      const targets = await targetsOf(call, { old, now, floor }, options.clients)
      const cpu = new Map<string, Array<number>>()
      const rate = new Map<string, Array<number>>()
      const ratios: Array<number> = []
      for (const target of targets) await warmUp(target, call.warmUps)
      for (let round = 0; round < rounds; round++) {
        const order = round % 2 === 0 ? targets : targets.toReversed()
        for (const target of order) {
          const found = await turn(target, milliseconds)
          cpu.set(target.name, [...(cpu.get(target.name) ?? []), found.cpu])
          rate.set(target.name, [...(rate.get(target.name) ?? []), found.rate])
        }
        ratios.push(cpu.get("new")!.at(-1)! / cpu.get("old")!.at(-1)!)
      }
      for (const { clients } of targets) for (const client of clients) client.close()
      const of = (found: Map<string, Array<number>>, which: Target["name"]) =>
        percentile(found.get(which) ?? [], 0.5)
      rows.push(
        [
          name,
          of(cpu, "old"),
          of(cpu, "new"),
          percentile(ratios, 0.5),
          of(cpu, "floor"),
          of(cpu, "floor") / of(cpu, "new"),
          of(rate, "old"),
          of(rate, "new"),
          of(rate, "new") / of(rate, "old"),
          of(rate, "new") / of(rate, "floor")
        ].map((value) => short(value))
      )
    }
    if (rows.length > 1) console.log(`\n${table(rows)}`)
    if (posts.length > 0) console.log(`\n${table([streamHead, ...posts])}`)
    if (wakes.length > 0) console.log(`\n${table([waking.wakeHead, ...wakes])}`)
  } finally {
    for (const end of ends.toReversed()) await end()
  }
}

const streamHead = [
  "posts with subscribers",
  "CPU, ms: old",
  "new",
  "new / old",
  "floor",
  "frame after the response, p50, ms: old",
  "new",
  "floor",
  "after the request: old",
  "new",
  "floor"
]

async function streamRow(
  name: string,
  subscribers: number,
  rounds: number,
  { old, now, floor }: { readonly old: Stage; readonly now: Stage; readonly floor: Floor }
): Promise<ReadonlyArray<string>> {
  const targets = [
    await audienceOf(old, subscribers),
    await audienceOf(now, subscribers),
    await ofFloor(floor, subscribers)
  ]
  const posts = sizes[subscribers as keyof typeof sizes]
  const found = await alternate(targets, posts, rounds)
  const [olds = [], news = []] = found
  const ratios = news.map(({ cpu }, at) => cpu / (olds[at]?.cpu ?? Number.NaN))
  const sums = found.map(summary)
  const cells = [
    ...sums.map(({ cpu }) => cpu).toSpliced(2, 0, percentile(ratios, 0.5)),
    ...sums.map(({ p50 }) => p50),
    ...sums.map(({ whole }) => whole)
  ]
  return [name, ...cells.map(short)]
}

async function wakeRow(
  size: number,
  rounds: number,
  {
    old,
    now,
    floor
  }: Record<"old" | "now", Parameters<typeof waking.ofServer>[0]> & {
    readonly floor: Floor
  }
): Promise<ReadonlyArray<string>> {
  const sides = [
    await waking.ofServer(old, size),
    await waking.ofServer(now, size),
    await waking.ofFloor(floor)
  ]
  return ["wake", ...waking.summary(await waking.wakings(sides, rounds)).map(short)]
}

async function targetsOf(
  call: Call,
  { old, now, floor }: { readonly old: Stage; readonly now: Stage; readonly floor: Floor },
  count: number
): Promise<ReadonlyArray<Target>> {
  const clients = (url: string) => Promise.all(Array.from({ length: count }, () => connect(url)))
  const ofServer = async (name: Side, { server, account }: Stage): Promise<Target> => ({
    name,
    pid: server.workerd,
    clients: await clients(account.url),
    run: await call.run(account)
  })
  return [
    await ofServer("old", old),
    await ofServer("new", now),
    {
      name: "floor",
      pid: floor.pid,
      clients: await clients(floor.url),
      run: floor.calls(blob)[call.floor]!
    }
  ]
}

/** A commit's files in a work tree of their own, with this tree's packages. */
function checkOut(commit: string, folder: string) {
  const tree = join(folder, "tree")
  const git = (...args: ReadonlyArray<string>) =>
    execFileSync("git", ["-C", root, ...args], { stdio: ["ignore", "pipe", "inherit"] })
  git("worktree", "add", "--detach", "--force", tree, commit)
  if (!existsSync(join(tree, "node_modules"))) {
    symlinkSync(join(root, "node_modules"), join(tree, "node_modules"))
  }
  const remove = () => {
    process.off("exit", remove)
    git("worktree", "remove", "--force", tree)
  }
  // Before the folder that it is in.
  process.prependOnceListener("exit", remove)
  return { tree, remove }
}
