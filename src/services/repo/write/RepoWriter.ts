import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import { signedCommit, unsignedCommitBytes } from "../../../core/repo/commit.ts"
import { rootBlock } from "../../../core/repo/mst/preOrder.ts"
import { Tree } from "../../../core/repo/mst/Tree.ts"
import { clockIds, nextTid } from "../../../core/repo/tid.ts"
import { AccountStore, RepoNotFound } from "../../accounts/AccountStore.ts"
import { BlobIndex } from "../../blobs/BlobIndex.ts"
import { BlockStore } from "../BlockStore.ts"
import { Config } from "../../host/Config.ts"
import { PublicCacheGate } from "../../edge/PublicCacheGate.ts"
import { RateLimitExceeded } from "../../limits/Limiter.ts"
import { Outbox } from "../../stream/Outbox.ts"
import { Overlay } from "../Overlay.ts"
import { Records } from "../Records.ts"
import {
  type Committed,
  type Head,
  InvalidSwap,
  type Replacement,
  Repo,
  type Write,
  type WriteOptions
} from "../Repo.ts"
import { applyChanges, type Applied, assemble } from "./assemble.ts"
import { collectionChanges, growth } from "./growth.ts"
import { type Change, plan } from "./plan.ts"
import { nothingSpent, pointsOf, spend, type Spent } from "./points.ts"
import { newReferences } from "./earlierBlobs.ts"
import { prepareWrites } from "./prepare.ts"
import { RepoState } from "./RepoState.ts"
import { Signer } from "../../identity/Signer.ts"
import { RepoHead } from "../RepoHead.ts"

/**
 * At this many decoded nodes (3.4 KB each) the tree is dropped from memory and loaded again from
 * its root.
 */
const maxLoadedNodes = 4000

/** An account's repository over the stores of its object. */
export const layer = Layer.effect(
  Repo,
  Effect.gen(function* () {
    const stored = yield* RepoHead
    const accounts = yield* AccountStore
    const blocks = yield* BlockStore
    const records = yield* Records
    const blobs = yield* BlobIndex
    const outbox = yield* Outbox
    const signer = yield* Signer
    const gate = yield* PublicCacheGate
    const config = yield* Config
    const lock = yield* Semaphore.make(1)
    const clockId = yield* Random.nextIntBetween(0, clockIds, { halfOpen: true })
    const overlay = new Overlay()
    let state: RepoState | undefined
    let lastTid: string | undefined

    /**
     * A TID above every rev and rkey that this object has created, even if the clock steps back.
     */
    const tid = (now: number): string => (lastTid = nextTid(lastTid, now * 1000, clockId))

    const load = Effect.gen(function* () {
      const { did } = yield* accounts.get
      if (state?.did === did) return state
      const row = stored.read()
      // An interrupted sign-up left no repo: the account doesn't exist yet.
      if (row === undefined) return yield* new RepoNotFound({ did })
      const { head, spent } = row
      if (lastTid === undefined || lastTid < head.rev) lastTid = head.rev
      state = new RepoState({ did, head, spent }, records.collections(), blocks.reader)
      return state
    })

    /** Writes a record to the table or removes it, along with its blob references. */
    const storeRecord = ({ path, after, before }: Change, rev: string, now: number): void => {
      if (after === undefined) {
        records.remove(path, overlay)
        blobs.dropRefs(path, now)
        return
      }
      records.put(path, after.cid, after.value, rev, overlay)
      // A new record without blobs has no references before or after.
      if (after.blobs.length === 0 && before === undefined) return
      const cids = after.blobs.map((blob) => blob.cid.toString())
      blobs.setRefs(path, cids, rev, now)
    }

    /** Whether this change may make a blob non-public. */
    const dropsBlobs = ({ path, before, after }: Change): boolean =>
      before !== undefined && blobs.drops(path, after?.blobs.map(({ cid }) => cid.toString()) ?? [])

    /** Signs one commit and stores all of it in one transaction. */
    const commit = Effect.fnUntraced(function* (
      current: RepoState,
      applied: Applied,
      changes: ReadonlyArray<Change>,
      spent: Spent,
      now: number
    ) {
      const { did, head, tree } = current
      const rev = tid(now)
      const sig = yield* signer.sign(unsignedCommitBytes({ did, data: applied.root, rev }))
      const time = new Date(now).toISOString()
      const made = assemble({
        did,
        root: applied.root,
        rev,
        sig,
        since: head.rev,
        prevData: head.root,
        blocks: applied.blocks,
        ops: applied.ops,
        time
      })
      const next: Head = {
        commit: made.commit,
        block: made.block,
        rev,
        root: applied.root,
        records: head.records + growth(changes),
        nodes: head.nodes + applied.grown
      }
      const collections = stored.transaction(() => {
        blocks.write(tree, applied.after, rev, overlay)
        for (const change of changes) storeRecord(change, rev, now)
        const moved = collectionChanges(current.collections, changes, records)
        const event = outbox.push({
          kind: "commit",
          frame: made.frame.bytes,
          seqOffset: made.frame.seqOffset,
          head: { commit: made.commit.toString(), rev },
          ...(moved.added.length + moved.removed.length === 0 ? {} : { collections: moved })
        })
        stored.write(next, spent, event)
        return moved
      }, "shared")
      current.head = next
      current.spent = spent
      for (const added of collections.added) current.collections.add(added)
      for (const removed of collections.removed) current.collections.delete(removed)
      current.tree =
        applied.after.loadedNodes > maxLoadedNodes
          ? Tree.load(blocks.reader, next.root)
          : applied.after
      yield* outbox.flush
      return next
    })

    const write = Effect.fnUntraced(function* (
      writes: ReadonlyArray<Write>,
      options: WriteOptions
    ) {
      const current = yield* load
      const now = yield* Clock.currentTimeMillis
      const prepared = yield* prepareWrites(writes, options.validate, () => tid(now))
      const { head, tree, did } = current
      if (options.swapCommit !== undefined && !options.swapCommit.equals(head.commit)) {
        return yield* new InvalidSwap({ message: `Commit was at ${head.commit.toString()}` })
      }
      const planned = yield* Effect.fromResult(
        plan(did, prepared, (path) => tree.get(path), records, options.replaceDuplicates === true)
      )
      const { changes, results } = planned
      if (changes.length === 0) return { results } satisfies Committed
      for (const { path, before, after } of changes) {
        if (after === undefined || after.blobs.length === 0) continue
        const stored = before === undefined ? undefined : records.get(path)
        const refused = blobs.check(newReferences(after.blobs, stored, blobs))
        if (refused !== undefined) return yield* refused
      }
      const applied = yield* Effect.fromResult(applyChanges(tree, changes))
      const points = pointsOf(writes, applied.bytes)
      const spent =
        config.rateLimits === "on"
          ? yield* Effect.fromResult(
              Result.mapError(
                spend(current.spent, points, now),
                (exceeded) => new RateLimitExceeded(exceeded)
              )
            )
          : current.spent
      const committing = commit(current, applied, changes, spent, now)
      const next = yield* changes.some(dropsBlobs) ? gate.whileShut(committing) : committing
      return { results, commit: { cid: next.commit, rev: next.rev } } satisfies Committed
    })

    const create = Effect.gen(function* () {
      const { did } = yield* accounts.get
      const now = yield* Clock.currentTimeMillis
      const tree = Tree.empty()
      const root = tree.root()
      const rev = tid(now)
      const sig = yield* signer.sign(unsignedCommitBytes({ did, data: root, rev }))
      const made = signedCommit({ did, data: root, rev, sig })
      const head: Head = { commit: made.cid, block: made.bytes, rev, root, records: 0, nodes: 1 }
      stored.transaction(() => {
        blocks.fill(tree, rev)
        stored.write(head, nothingSpent, 0)
      })
      state = new RepoState({ did, head, spent: nothingSpent }, [], blocks.reader)
      state.tree = tree
      return head
    })

    const recommit = Effect.gen(function* () {
      const current = yield* load
      const now = yield* Clock.currentTimeMillis
      const { tree, head } = current
      // Includes the root node: a consumer that doesn't invert operations still loads the tree's
      // top.
      const unchanged: Applied = {
        after: tree,
        root: head.root,
        blocks: [rootBlock(tree)],
        bytes: 0,
        ops: [],
        grown: 0
      }
      return yield* commit(current, unchanged, [], current.spent, now)
    })

    const revAbove = Effect.fnUntraced(function* (rev: string) {
      const { head } = yield* load
      const now = yield* Clock.currentTimeMillis
      const last = lastTid === undefined || lastTid < head.rev ? head.rev : lastTid
      // Not kept: a rejected rev must not push later revs ahead of the clock.
      return nextTid(rev > last ? rev : last, now * 1000, clockId)
    })

    const replace = Effect.fnUntraced(function* ({ expected, place, ...next }: Replacement) {
      const { did, head, spent } = yield* load
      if (!expected.equals(head.commit)) {
        return yield* new InvalidSwap({ message: `Commit was at ${head.commit.toString()}` })
      }
      const { root, rev, records: count, nodes } = next
      const sig = yield* signer.sign(unsignedCommitBytes({ did, data: root, rev }))
      const made = signedCommit({ did, data: root, rev, sig })
      const after: Head = { commit: made.cid, block: made.bytes, rev, root, records: count, nodes }
      stored.transaction(() => stored.write(after, spent, place(after) ?? stored.lastEvent()))
      overlay.spoil()
      if (lastTid === undefined || lastTid < rev) lastTid = rev
      state = undefined
      yield* outbox.flush
      return after
    })

    const snapshot = Effect.map(load, ({ head }) => {
      const reading = overlay.open(head.rev)
      return {
        head,
        tree: Tree.load(blocks.snapshot(reading), head.root),
        overlay: reading,
        isCurrent: () => state?.head === head,
        close: () => reading.close()
      }
    })

    /** Runs one write at a time, and completes it even if the client disconnects. */
    const alone = <A, E>(effect: Effect.Effect<A, E>) =>
      lock.withPermits(1)(Effect.uninterruptible(effect))

    return Repo.of({
      create: alone(create),
      head: Effect.map(load, (current) => current.head),
      write: (writes, options) => alone(write(writes, options)),
      recommitAfter: (change) => alone(Effect.andThen(change, recommit)),
      revAbove,
      replace: (replacement) => alone(gate.whileShut(replace(replacement))),
      snapshot,
      collections: Effect.map(load, (current) => [...current.collections].toSorted())
    })
  })
)
