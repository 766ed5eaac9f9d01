/**
 * Writes at random and records the acknowledged writes.
 *
 * Each writer has record keys of its own, so a write without a response can be checked afterwards: it
 * must have happened completely, or not at all.
 */
import { connect } from "../../bench/http.ts"
import type { Random } from "./random.ts"

/** What a write does to one record. */
interface Effect {
  readonly path: string
  readonly action: string
}

/** A write, and what its records were before it. */
interface Unanswered {
  readonly effects: ReadonlyArray<Effect>
  readonly before: ReadonlyArray<readonly [path: string, cid: string | undefined]>
}

interface StoredBlob {
  readonly record: string | undefined
  readonly cid: string
  readonly bytes: Buffer
}

/** What should be in the repo. */
export interface Ledger {
  readonly records: Map<string, string>
  readonly revs: Set<string>
  readonly blobs: Map<string, StoredBlob>
  readonly unanswered: Array<Unanswered>
  acknowledged: number
}

/** What a writer writes to, and for how long. */
export interface Writing {
  readonly url: string
  readonly did: string
  readonly token: string
  readonly ledger: Ledger
  readonly random: Random
  readonly writer: number
  readonly until: { readonly done: boolean }
}

/** What a write came to. */
interface Written {
  readonly commit: { readonly rev: string } | undefined
  readonly cids: ReadonlyArray<string>
}

/** What should be in the repo: path → CID, and the writes without a response. */
export function openLedger(): Ledger {
  return {
    records: new Map(),
    revs: new Set(),
    /** Path of an acknowledged record → its CID, and the CID and bytes of the blob it refers to. */
    blobs: new Map(),
    unanswered: [],
    acknowledged: 0
  }
}

const collection = "app.bsky.feed.post"
const sortable = "234567abcdefghijklmnopqrstuvwxyz"
let micros = Date.now() * 1000

/** A new TID; its last two characters identify the writer. */
function newTid(writer: number): string {
  let rest = (micros += 1)
  let text = ""
  for (let i = 0; i < 11; i++) {
    text = sortable[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  return text + markOf(writer)
}

const markOf = (writer: number): string => `2${sortable[writer]}`

/** Writes until the server is gone; returns any error except a lost connection. */
export async function write({
  url,
  did,
  token,
  ledger,
  random,
  writer,
  until
}: Writing): Promise<Refused | undefined> {
  const headers = { Authorization: `Bearer ${token}` }
  const opened = await connect(url).catch(() => undefined)
  if (opened === undefined) return undefined
  const client = opened
  let count = 0

  // SAFETY: who sends knows what the method answers; anything else fails the run.
  const send = async (nsid: string, body: object, type = "application/json"): Promise<any> => {
    const answer = await client.request("POST", `/xrpc/com.atproto.repo.${nsid}`, {
      headers: { ...headers, "Content-Type": type },
      body: body instanceof Uint8Array ? body : JSON.stringify(body)
    })
    if (answer.status !== 200) throw new Refused(`${nsid}: ${answer.status} ${answer.body}`)
    return JSON.parse(answer.body.toString())
  }
  const newKey = () => newTid(writer)
  const record = (embed?: object) => ({
    $type: collection,
    text: `${writer} ${(count += 1)} ${random.next()} ${newTid(writer)}`,
    createdAt: new Date().toISOString(),
    ...(embed === undefined ? {} : { embed })
  })
  const own = () => [...ledger.records.keys()].filter((path) => path.endsWith(markOf(writer)))

  /** Sends a write with several effects; a response goes into the ledger, an unanswered write is kept for later. */
  const attempt = async (
    effects: ReadonlyArray<Effect>,
    run: () => Promise<Written>
  ): Promise<void> => {
    const before = effects.map(({ path }) => [path, ledger.records.get(path)] as const)
    const pending = { effects, before }
    ledger.unanswered.push(pending)
    const { commit, cids } = await run()
    ledger.unanswered.splice(ledger.unanswered.indexOf(pending), 1)
    effects.forEach(({ path, action }, at) => {
      if (action === "delete") ledger.records.delete(path)
      else ledger.records.set(path, cids[at] ?? "")
    })
    if (commit !== undefined) ledger.revs.add(commit.rev)
    ledger.acknowledged += 1
  }

  const create = async (embed?: object): Promise<string> => {
    const rkey = newKey()
    const path = `${collection}/${rkey}`
    await attempt([{ path, action: "create" }], async () => {
      const made = await send("createRecord", {
        repo: did,
        collection,
        rkey,
        record: record(embed)
      })
      return { commit: made.commit, cids: [made.cid] }
    })
    return path
  }
  const remove = async () => {
    const path = random.pick(own())
    if (path === undefined) return create()
    return attempt([{ path, action: "delete" }], async () => {
      const rkey = path.split("/")[1]
      return {
        commit: (await send("deleteRecord", { repo: did, collection, rkey })).commit,
        cids: []
      }
    })
  }
  const batch = async () => {
    const kept = own()
    const effects = Array.from({ length: random.between(1, 20) }, (): Effect => {
      const action = random.pick(["create", "create", "update", "delete"]) ?? "create"
      if (action === "create" || kept.length === 0) {
        return { action: "create", path: `${collection}/${newKey()}` }
      }
      const [path = ""] = kept.splice(random.between(0, kept.length - 1), 1)
      return { action, path }
    })
    await attempt(effects, async () => {
      const done = await send("applyWrites", {
        repo: did,
        writes: effects.map(({ action, path }) => ({
          $type: `com.atproto.repo.applyWrites#${action}`,
          collection,
          rkey: path.split("/")[1],
          ...(action === "delete" ? {} : { value: record() })
        }))
      })
      return {
        commit: done.commit,
        cids: done.results.map(({ cid }: { readonly cid: string }) => cid)
      }
    })
  }
  const withBlob = async () => {
    const bytes = Buffer.concat([
      Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"),
      random.bytes(random.between(100, 4000))
    ])
    const { blob } = await send("uploadBlob", bytes, "image/png")
    const path = await create({
      $type: "app.bsky.embed.images",
      images: [{ image: blob, alt: "" }]
    })
    ledger.blobs.set(path, { record: ledger.records.get(path), cid: blob.ref.$link, bytes })
  }

  try {
    while (!until.done) {
      const dice = random.next()
      await (dice < 0.5 ? create() : dice < 0.7 ? batch() : dice < 0.88 ? remove() : withBlob())
    }
    return undefined
  } catch (cause) {
    return cause instanceof Refused ? cause : undefined
  } finally {
    client.close()
  }
}

/** The server responded with an error. */
export class Refused extends Error {}

/** Settles the unanswered writes by the content of the repo; returns those that contradict it. */
export function judge(
  ledger: Ledger,
  contents: ReadonlyMap<string, string>
): ReadonlyArray<string> {
  const problems: Array<string> = []
  for (const { effects, before } of ledger.unanswered.splice(0)) {
    const was = new Map(before)
    const happened = effects.map(({ path, action }) => {
      const now = contents.get(path)
      return action === "delete" ? now === undefined : now !== undefined && now !== was.get(path)
    })
    const untouched = effects.map(({ path }) => contents.get(path) === was.get(path))
    if (!happened.every(Boolean) && !untouched.every(Boolean)) {
      problems.push(`half a write: ${JSON.stringify(effects)}`)
    }
    for (const { path } of effects) {
      const now = contents.get(path)
      if (now === undefined) ledger.records.delete(path)
      else ledger.records.set(path, now)
    }
  }
  for (const [path, cid] of ledger.records) {
    if (contents.get(path) !== cid)
      problems.push(`${path} is ${contents.get(path)}, acknowledged ${cid}`)
  }
  for (const path of contents.keys()) {
    if (!ledger.records.has(path)) problems.push(`${path} is there, and nobody wrote it`)
  }
  return problems
}
