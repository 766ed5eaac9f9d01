import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import { signedCommit, unsignedCommitBytes } from "../../../core/repo/commit.ts"
import { rootBlock } from "../../../core/repo/mst/preOrder.ts"
import { changeOf } from "../../../core/repo/mst/diff.ts"
import { Tree } from "../../../core/repo/mst/Tree.ts"
import { clockIds, nextTid } from "../../../core/repo/tid.ts"
import { AccountStore, RepoNotFound } from "../../accounts/AccountStore.ts"
import { BlobIndex } from "../../blobs/BlobIndex.ts"
import { BlockStore } from "../BlockStore.ts"
import { Config } from "../../host/Config.ts"
import { KnownLexicons } from "../../host/KnownLexicons.ts"
import * as Soon from "../../host/Soon.ts"
import { PublicCacheGate } from "../../edge/PublicCacheGate.ts"
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
  type WriteFailure,
  type WriteOptions
} from "../Repo.ts"
import { type Applied, assemble } from "./assemble.ts"
import { collectionChanges, growth } from "./growth.ts"
import { bytesToSign, judgeWrites, type Judged, type Unsigned } from "./judge.ts"
import type { Change } from "./plan.ts"
import { nothingSpent } from "./points.ts"
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
    const lexicons = yield* KnownLexicons
    const clock = yield* Clock.Clock
    const lock = yield* Semaphore.make(1)
    const clockId = yield* Random.nextIntBetween(0, clockIds, { halfOpen: true })
    const overlay = new Overlay()
    let state: RepoState | undefined
    let lastTid: string | undefined
    /** Whether a change holds the lock, and may be waiting. */
    let isTaken = false

    /**
     * A TID above every rev and rkey that this object has created, even if the clock steps back.
     */
    const tid = (now: number): string => (lastTid = nextTid(lastTid, now * 1000, clockId))

    const find = (): Result.Result<RepoState, RepoNotFound> =>
      Result.flatMap(accounts.find(), ({ did }) => {
        if (state?.did === did) return Result.succeed(state)
        const row = stored.read()
        // An interrupted sign-up left no repo: the account doesn't exist yet.
        if (row === undefined) return Result.fail(new RepoNotFound({ did }))
        const { head, spent } = row
        if (lastTid === undefined || lastTid < head.rev) lastTid = head.rev
        state = new RepoState({ did, head, spent }, records.collections(), blocks.reader)
        return Result.succeed(state)
      })

    const load = Effect.suspend(() => Effect.fromResult(find()))

    /** Runs one change at a time, and completes it even if the client disconnects. */
    const alone = <A, E>(change: Effect.Effect<A, E>) =>
      Effect.suspend(() => {
        isTaken = true
        return Effect.ensuring(
          change,
          Effect.sync(() => (isTaken = false))
        )
      }).pipe(Effect.uninterruptible, lock.withPermits(1))

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

    /** Stores all of a signed commit in one transaction, and then remembers it. */
    const store = (
      { current, applied, changes, spent, now, rev }: Unsigned,
      sig: Uint8Array
    ): Head => {
      const { did, head } = current
      const { after } = applied.change
      const made = assemble({
        did,
        root: applied.root,
        rev,
        sig,
        since: head.rev,
        prevData: head.root,
        blocks: applied.blocks,
        ops: applied.ops,
        time: new Date(now).toISOString()
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
        blocks.write(applied.change, rev, overlay)
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
        after.loadedNodes > maxLoadedNodes ? Tree.load(blocks.reader, next.root) : after
      return next
    }

    const commit = Effect.fnUntraced(function* (unsigned: Unsigned) {
      const head = store(unsigned, yield* signer.sign(bytesToSign(unsigned)))
      yield* outbox.flush
      return head
    })

    const judge = (
      writes: ReadonlyArray<Write>,
      options: WriteOptions
    ): Result.Result<Judged, WriteFailure> =>
      Result.flatMap(find(), (current) =>
        judgeWrites(current, writes, options, {
          stores: { records, blobs },
          lexicons,
          isLimited: config.rateLimits === "on",
          now: clock.currentTimeMillisUnsafe(),
          tid
        })
      )

    /** A write that may have to wait: for the key, or until the edge is shut. */
    const write = Effect.fnUntraced(function* (
      writes: ReadonlyArray<Write>,
      options: WriteOptions
    ) {
      const { results, unsigned } = yield* Effect.fromResult(judge(writes, options))
      if (unsigned === undefined) return { results } satisfies Committed
      const committing = commit(unsigned)
      const { commit: cid, rev } = yield* unsigned.changes.some(dropsBlobs)
        ? gate.whileShut(committing)
        : committing
      return { results, commit: { cid, rev } } satisfies Committed
    })

    const writeNow: Repo["Service"]["writeNow"] = (writes, options, services) => {
      const { signNow } = signer
      if (isTaken || signNow === undefined) return alone(write(writes, options))
      const judged = judge(writes, options)
      if (Result.isFailure(judged)) return Result.fail(judged.failure)
      const { results, unsigned } = judged.success
      if (unsigned === undefined) return Result.succeed({ results })
      if (unsigned.changes.some(dropsBlobs)) return alone(write(writes, options))
      const { commit: cid, rev } = store(unsigned, signNow(bytesToSign(unsigned)))
      // Sets the alarm in this turn, with the transaction.
      if (!outbox.flushNow(services)) Effect.runForkWith(services)(outbox.flush)
      return Result.succeed({ results, commit: { cid, rev } })
    }

    const create = Effect.gen(function* () {
      const { did } = yield* accounts.get
      const now = clock.currentTimeMillisUnsafe()
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
      const now = clock.currentTimeMillisUnsafe()
      const { tree, head, spent } = current
      // Includes the root node: a consumer that doesn't invert operations still loads the tree's
      // top.
      const unchanged: Applied = {
        change: changeOf(tree, tree),
        root: head.root,
        blocks: [rootBlock(tree)],
        bytes: 0,
        ops: [],
        grown: 0
      }
      return yield* commit({ current, applied: unchanged, changes: [], spent, now, rev: tid(now) })
    })

    const revAbove = Effect.fnUntraced(function* (rev: string) {
      const { head } = yield* load
      const now = clock.currentTimeMillisUnsafe()
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

    return Repo.of({
      create: alone(create),
      head: Effect.map(load, (current) => current.head),
      headNow: () => Result.map(find(), (current) => current.head),
      write: (writes, options) =>
        Effect.contextWith((services) => Soon.toEffect(writeNow(writes, options, services))),
      writeNow,
      recommitAfter: (change) => alone(Effect.andThen(change, recommit)),
      revAbove,
      replace: (replacement) => alone(gate.whileShut(replace(replacement))),
      snapshot,
      collections: () => Result.map(find(), (current) => [...current.collections].toSorted())
    })
  })
)
