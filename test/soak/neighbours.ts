/**
 * Other accounts that write at the same time: their events share turns of the log.
 *
 * A frame that anybody has seen must be found again under the same number after a kill, and every
 * acknowledged commit must be announced once.
 */
import { createHash } from "node:crypto"
import { decode, decodeFirst } from "cborg"
import { connect } from "../../bench/http.ts"
import type { BenchServer } from "../../bench/server.ts"
import { type Subscription, subscribe } from "../../bench/socket.ts"

const options = { tags: { 42: (content: () => unknown) => content() } }
const path = "/xrpc/com.atproto.sync.subscribeRepos"

interface Neighbour {
  readonly did: string
  readonly token: string
}

/** The frames of a stream: their hashes by number, and the commits by repo and rev. */
const collect = () => {
  const hashes = new Map<number, string>()
  const commits: Array<string> = []
  const take = (frame: Buffer): void => {
    const bytes = Uint8Array.from(frame)
    // SAFETY: frames of the stream under test.
    const [{ t }, rest] = decodeFirst(bytes, options) as [{ readonly t: string }, Uint8Array]
    const { seq, repo, rev } = decode(rest, options) as Readonly<{
      seq: number
      repo: string
      rev: string
    }>
    hashes.set(seq, createHash("sha256").update(bytes).digest("base64"))
    if (t === "#commit") commits.push(`${repo} ${rev}`)
  }
  return { hashes, commits, take }
}

const procedure = async (url: string, nsid: string, authorization: string, input: object) => {
  const response = await fetch(`${url}/xrpc/${nsid}`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify(input)
  })
  if (!response.ok) throw new Error(`${nsid}: ${response.status} ${await response.text()}`)
  // SAFETY: what createSession answers; of createAccount nothing is used.
  return (await response.json()) as { readonly accessJwt: string }
}

const signUp = async ({ url, account }: BenchServer, nth: number): Promise<Neighbour> => {
  const [did, password] = [`did:web:neighbour${nth}.test`, "a long password"]
  const admin = `Basic ${Buffer.from(`admin:${account.adminPassword}`).toString("base64")}`
  await procedure(url, "com.atproto.server.createAccount", admin, {
    did,
    password,
    handle: `neighbour${nth}.test`,
    email: `${nth}@example.com`
  })
  const session = { identifier: did, password }
  const { accessJwt } = await procedure(url, "com.atproto.server.createSession", "", session)
  return { did, token: accessJwt }
}

/** Signs up so many accounts. */
export async function openNeighbours(server: BenchServer, count: number) {
  const people: Array<Neighbour> = []
  for (let nth = 0; nth < count; nth++) people.push(await signUp(server, nth))
  const known = new Map<number, string>()
  const acknowledged = new Set<string>()
  let watched: ReturnType<typeof collect> | undefined
  let socket: Subscription | undefined

  const post = async (
    url: string,
    { did, token }: Neighbour,
    until: { readonly done: boolean }
  ) => {
    const client = await connect(url).catch(() => undefined)
    if (client === undefined) return
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }
    const collection = "com.example.note"
    const body = JSON.stringify({ repo: did, collection, record: { $type: collection } })
    const asked = "/xrpc/com.atproto.repo.createRecord"
    try {
      while (!until.done) {
        const answer = await client.request("POST", asked, { headers, body })
        if (answer.status !== 200) continue
        acknowledged.add(`${did} ${JSON.parse(answer.body.toString()).commit.rev}`)
      }
    } catch {
      // The server is gone.
    } finally {
      client.close()
    }
  }

  return {
    dids: new Set(people.map(({ did }) => did)),
    /** Writes and reads until the server is gone. */
    live: async (url: string, until: { readonly done: boolean }) => {
      watched = collect()
      socket = await subscribe(url, path, watched.take)
      await Promise.all(people.map((one) => post(url, one, until)))
    },
    /** Compares a replay from the beginning with what was seen; the log must have everything. */
    verify: async (url: string): Promise<ReadonlyArray<string>> => {
      socket?.close()
      for (const [seq, hash] of watched?.hashes ?? []) known.set(seq, hash)
      const problems: Array<string> = []
      const replayed = collect()
      const replay = await subscribe(url, `${path}?cursor=0`, replayed.take)
      const isWhole = () => [...acknowledged].every((one) => replayed.commits.includes(one))
      for (let waited = 0; !isWhole() && waited < 20_000; waited += 100) {
        await new Promise((done) => setTimeout(done, 100))
      }
      replay.close()
      if (!isWhole()) problems.push("a neighbour's commit was acknowledged and never announced")
      if (new Set(replayed.commits).size < replayed.commits.length) {
        problems.push("a neighbour's commit was announced twice")
      }
      for (const [seq, hash] of known) {
        if (replayed.hashes.get(seq) !== hash)
          problems.push(`frame ${seq} was sent and is not stored`)
      }
      return problems
    }
  }
}
