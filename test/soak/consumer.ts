/**
 * A relay as strict as the protocol allows: it resumes from its cursor and checks every frame against the last.
 *
 * It builds a mirror of the repo from the frames alone.
 */
import { readCarWithRoot, verifyProofs } from "@atproto/repo"
import { decode, decodeFirst, type DecodeOptions } from "cborg"
import { CID } from "multiformats/cid"
import { type Subscription, subscribe } from "../../bench/socket.ts"

const options: DecodeOptions = {
  // SAFETY: DAG-CBOR's only tag holds the bytes of a CID.
  tags: { 42: (content) => CID.decode((content() as Uint8Array).subarray(1)).toString() }
}

interface Header {
  readonly op: number
  readonly t: string
}

interface CommitEvent {
  readonly seq: number
  readonly repo: string
  readonly rev: string
  readonly since: string | null
  readonly prevData?: string
  readonly commit: string
  readonly blocks: Uint8Array
  readonly ops: ReadonlyArray<{
    readonly action: string
    readonly path: string
    readonly cid: string | null
    readonly prev?: string | null
  }>
}

/** The last commit that a consumer has seen. */
interface Seen {
  readonly rev: string
  readonly data: string
}

/** Whose repo is followed, and the key that signs it. */
export interface Followed {
  readonly did: string
  readonly signingKey: string
  /** Accounts of the host that aren't followed. */
  readonly others?: ReadonlySet<string>
}

export type Consumer = ReturnType<typeof openConsumer>

/** A stream that violates the protocol. */
export class Broken extends Error {}

const demand: (held: boolean, message: string) => asserts held = (held, message) => {
  if (!held) throw new Broken(message)
}

export function openConsumer({ did, signingKey, others = new Set() }: Followed) {
  const mirror = new Map<string, string>()
  const revs = new Set<string>()
  let seq = 0
  let last: Seen | undefined
  let problem: Error | undefined
  let work = Promise.resolve()
  let socket: Subscription | undefined

  const take = async (bytes: Uint8Array): Promise<void> => {
    // SAFETY: frames of the stream under test; what is wrong with them shows below.
    const [header, rest] = decodeFirst(bytes, options) as [Header, Uint8Array]
    const event = decode(rest, options) as CommitEvent
    demand(header.op === 1, `error frame: ${JSON.stringify(event)}`)
    demand(header.t !== "#info", `info frame: ${JSON.stringify(event)}`)
    demand(event.seq > seq, `seq ${event.seq} after ${seq}`)
    if (header.t === "#commit" && !others.has(event.repo)) await takeCommit(event)
    // Only now: a frame that a kill cut off is requested again.
    seq = event.seq
  }

  const takeCommit = async (event: CommitEvent): Promise<void> => {
    const at = `commit ${event.rev} (seq ${event.seq})`
    demand(event.repo === did, `${at}: repo is ${event.repo}`)
    demand(!revs.has(event.rev), `${at}: seen before`)
    const { root, blocks } = await readCarWithRoot(event.blocks)
    demand(root.toString() === event.commit, `${at}: the CAR's root is ${root}`)
    // SAFETY: the signature is verified below.
    const commit = decode(blocks.get(root) ?? new Uint8Array(), options) as Seen & { did: string }
    demand(commit.did === did && commit.rev === event.rev, `${at}: holds ${commit.rev}`)
    if (last === undefined) {
      demand(event.since === null, `${at}: the first one has since ${event.since}`)
    } else {
      demand(event.rev > last.rev, `${at}: comes after ${last.rev}`)
      demand(event.since === last.rev, `${at}: since is ${event.since}, the last was ${last.rev}`)
      demand(event.prevData === last.data, `${at}: prevData is ${event.prevData}, not ${last.data}`)
    }
    for (const { action, path, cid, prev } of event.ops) {
      const before = mirror.get(path)
      demand(
        (prev ?? undefined) === before,
        `${at}: ${action} ${path} has prev ${prev}, not ${before}`
      )
      demand((action === "create") === (before === undefined), `${at}: ${action} ${path}`)
      demand((action === "delete") === (cid === null), `${at}: ${action} ${path} has cid ${cid}`)
      if (cid === null) mirror.delete(path)
      else mirror.set(path, cid)
    }
    const claims = event.ops.map(({ path, cid }) => {
      const [collection = "", rkey = ""] = path.split("/")
      return { collection, rkey, cid: cid === null ? null : CID.parse(cid) }
    })
    // Throws if the commit isn't this account's or its signature is invalid.
    const { unverified } = await verifyProofs(event.blocks, claims, did, signingKey)
    demand(unverified.length === 0, `${at}: ${unverified.length} operations unproven`)
    revs.add(event.rev)
    last = { rev: event.rev, data: commit.data }
  }

  return {
    mirror,
    revs,
    /** The last commit. */
    last: () => last,
    seq: () => seq,
    /** Connects and resumes after the last processed frame. */
    async connect(url: string): Promise<void> {
      const path = `/xrpc/com.atproto.sync.subscribeRepos?cursor=${seq}`
      socket = await subscribe(url, path, (frame) => {
        const bytes = Uint8Array.from(frame)
        work = work
          .then(() => take(bytes))
          .catch((cause: unknown) => {
            problem ??= cause instanceof Error ? cause : new Error(String(cause))
            socket?.close()
          })
      })
    },
    /** Waits until every received frame is checked. */
    settle: () => work,
    async close() {
      socket?.close()
      await work
    },
    problem: () => problem
  }
}
