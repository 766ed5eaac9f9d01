/**
 * A relay as strict as the protocol allows: it resumes from its cursor and checks every frame against the last.
 *
 * It builds a mirror of the repo from the frames alone.
 */
import { readCarWithRoot, verifyProofs } from "@atproto/repo"
import { decode, decodeFirst } from "cborg"
import { CID } from "multiformats/cid"
import { subscribe } from "../../bench/socket.mjs"

const tags = []
tags[42] = (content) => CID.decode(content().subarray(1)).toString()
const options = { tags }

/** A stream that violates the protocol. */
export class Broken extends Error {}

const demand = (held, message) => {
  if (!held) throw new Broken(message)
}

export function openConsumer({ did, signingKey }) {
  const mirror = new Map()
  const revs = new Set()
  let seq = 0
  let last
  let problem
  let work = Promise.resolve()
  let socket

  const take = async (bytes) => {
    const [header, rest] = decodeFirst(bytes, options)
    const event = decode(rest, options)
    demand(header.op === 1, `error frame: ${JSON.stringify(event)}`)
    demand(header.t !== "#info", `info frame: ${JSON.stringify(event)}`)
    demand(event.seq > seq, `seq ${event.seq} after ${seq}`)
    if (header.t === "#commit") await takeCommit(event)
    // Only now: a frame that a kill cut off is requested again.
    seq = event.seq
  }

  const takeCommit = async (event) => {
    const at = `commit ${event.rev} (seq ${event.seq})`
    demand(event.repo === did, `${at}: repo is ${event.repo}`)
    demand(!revs.has(event.rev), `${at}: seen before`)
    const { root, blocks } = await readCarWithRoot(event.blocks)
    demand(root.toString() === event.commit, `${at}: the CAR's root is ${root}`)
    const commit = decode(blocks.get(root), options)
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
      const [collection, rkey] = path.split("/")
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
    async connect(url) {
      const path = `/xrpc/com.atproto.sync.subscribeRepos?cursor=${seq}`
      socket = await subscribe(url, path, (frame) => {
        const bytes = Uint8Array.from(frame)
        work = work
          .then(() => take(bytes))
          .catch((cause) => {
            problem ??= cause
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
