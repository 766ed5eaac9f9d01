import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { accountTables } from "../../../src/layers/host/sql/accountTables.ts"
import * as BlockStoreSqlite from "../../../src/layers/repo/BlockStoreSqlite.ts"
import * as ImportTables from "../../../src/layers/repo/importTables.ts"
import { makeTables } from "../../../src/layers/host/sql/objectTables.ts"
import { make, open } from "../../../src/layers/host/sql/SqlStorageNode.ts"
import { Cid } from "../../../src/core/repo/cid.ts"
import { buildClusters } from "../../../src/core/repo/mst/build.ts"
import { decodeRows } from "../../../src/core/repo/mst/clusterCodec.ts"
import { changeOf } from "../../../src/core/repo/mst/diff.ts"
import { Tree } from "../../../src/core/repo/mst/Tree.ts"
import { BlockStore } from "../../../src/services/repo/BlockStore.ts"
import { Overlay, type OverlayReading } from "../../../src/services/repo/Overlay.ts"
import { bytesOf, SqlStorage } from "../../../src/services/host/SqlStorage.ts"
import * as Support from "./support.ts"

const runs = 60

type Changes = ReturnType<typeof Support.someChanges>
type Entries = Array<[key: string, value: Cid]>

/** Thrown inside a transaction, after its writes. */
class Interruption extends Error {}

const sorted = (records: ReadonlyMap<string, Cid>): Entries =>
  [...records].toSorted(([a], [b]) => (a < b ? -1 : 1))

const texts = (entries: Iterable<[key: string, value: Cid]>): Array<string> =>
  Array.from(entries, ([key, value]) => `${key} ${value}`)

/** An export that reads in steps, and the result it must reach. */
interface Export {
  readonly overlay: OverlayReading
  readonly reading: Generator<[key: string, value: Cid]>
  readonly expected: Array<string>
  readonly read: Array<string>
}

/**
 * A repo's tree over a store of clusters, like in an account's object, and its expected content.
 */
class Life {
  readonly #sql = make(open(":memory:"))
  readonly #store: BlockStore["Service"]
  readonly #overlay = new Overlay()
  #exports: Array<Export> = []
  #tree = Tree.empty()
  #commits = 0
  #records: ReadonlyMap<string, Cid> = new Map()

  constructor() {
    makeTables(this.#sql, accountTables)
    const sql = Layer.succeed(SqlStorage, this.#sql)
    this.#store = Effect.runSync(
      BlockStore.pipe(Effect.provide(BlockStoreSqlite.layer.pipe(Layer.provide(sql))))
    )
    this.#store.fill(this.#tree, this.#rev)
  }

  /** The rev of the last commit; revs ascend. */
  get #rev(): string {
    return String(this.#commits).padStart(9, "0")
  }

  /** Writes changes in one transaction; an interrupted one leaves the tree in memory unchanged. */
  write(changes: Changes, isInterrupted = false): void {
    const records = new Map(this.#records)
    let after = this.#tree
    for (const { key, cid } of changes) {
      after = cid === undefined ? after.delete(key) : after.put(key, cid)
      if (cid === undefined) records.delete(key)
      else records.set(key, cid)
    }
    this.#commits++
    const change = changeOf(this.#tree, after)
    const write = () => this.#store.write(change, this.#rev, this.#overlay)
    if (isInterrupted) return this.#interrupt(write)
    this.#sql.transaction(write)
    this.#tree = after
    this.#records = records
  }

  /** Writes some changes; the first attempt sometimes fails, and other changes may follow. */
  writeSome(chance: Support.Chance, newKey: () => string): void {
    const changes = Support.someChanges(
      chance,
      this.#records,
      newKey,
      chance.pick([1, 1, 3, 8, 30])
    )
    if (chance.next() < 0.3) {
      this.write(changes, true)
      if (chance.next() < 0.5) return
    }
    this.write(changes)
  }

  /** Swaps another tree in with the tables of an import. */
  replace(chance: Support.Chance, newKey: () => string): void {
    const records = new Map<string, Cid>()
    for (let left = chance.pick([0, 1, 10, 300]); left > 0; left--) {
      records.set(newKey(), Support.recordCid(chance.below(1000)))
    }
    this.#commits++
    ImportTables.clear(this.#sql)
    ImportTables.create(this.#sql)
    for (const cluster of buildClusters(sorted(records))) {
      ImportTables.putCluster(this.#sql, cluster, this.#rev)
    }
    const swap = () => ImportTables.swap(this.#sql, this.#rev)
    if (chance.next() < 0.3) return this.#interrupt(swap)
    this.#sql.transaction(swap)
    ImportTables.clear(this.#sql)
    this.#overlay.spoil()
    this.#exports = []
    this.#records = records
    this.#tree = Tree.load(this.#store.reader, Support.treeOf(records).root())
  }

  /** Drops everything from memory. */
  sleep(): void {
    this.#tree = Tree.load(this.#store.reader, this.#tree.root())
  }

  /** Starts an export of the current repo. */
  export(): void {
    const overlay = this.#overlay.open(this.#rev)
    const snapshot = Tree.load(this.#store.snapshot(overlay), this.#tree.root())
    const expected = texts(sorted(this.#records))
    this.#exports.push({ overlay, reading: snapshot.entries(), expected, read: [] })
  }

  /** Continues all exports, and ends those that are complete. */
  readOn(most: number): void {
    this.#exports = this.#exports.filter(({ overlay, reading, expected, read }) => {
      for (let left = most; left > 0; left--) {
        const next = reading.next()
        if (next.done !== true) read.push(...texts([next.value]))
        else {
          assert.deepStrictEqual(read, expected, "what an export has read")
          overlay.close()
          return false
        }
      }
      return true
    })
  }

  /**
   * Asserts that the table holds exactly the clusters of the records' tree, each with the rows
   * below.
   */
  check(): void {
    const tree = Support.treeOf(this.#records)
    assert.strictEqual(this.#tree.root().toString(), tree.root().toString())
    const table = this.#table()
    assert.deepStrictEqual(table.misled(tree.root()), [], "rows that mislead")
    const hex = ({ rows }: Support.ClusterRows) =>
      Array.from(rows, ([cid, bytes]) => `${cid} ${Buffer.from(bytes).toString("hex")}`).toSorted()
    assert.deepStrictEqual(hex(table), hex(Support.ClusterRows.of(tree)), "the clusters stored")
    assert.strictEqual(table.stored.size, table.rows.size, "no cluster is stored twice")
  }

  #table(): Support.ClusterRows {
    const table = new Support.ClusterRows()
    for (const [id, cid, below, bytes] of this.#sql
      .exec("SELECT id, cid, below, bytes FROM cluster")
      .raw()) {
      table.stored.set(Number(id), {
        cid: Cid.fromBytes(bytesOf(cid)),
        below: decodeRows(bytesOf(below)),
        bytes: bytesOf(bytes)
      })
    }
    return table
  }

  #interrupt(body: () => void): void {
    assert.throws(
      () =>
        this.#sql.transaction(() => {
          body()
          throw new Interruption()
        }),
      Interruption
    )
  }
}

const keySpaces = {
  "few keys on many layers": (chance: Support.Chance) => chance.pick(Support.fewKeys),
  "keys as clients make them": (chance: Support.Chance) => Support.postKey(chance),
  "keys as clients make them, and a few on high layers": (chance: Support.Chance) =>
    chance.next() < 0.2 ? chance.pick(Support.fewKeys) : Support.postKey(chance)
}

describe("the rows of former and future roots", () => {
  const cid = Support.recordCid(1)
  const [high, beyond] = Support.onLayer(5, 2) as [string, string]
  const lows = Support.onLayer(2, 1000).filter((key) => key < beyond)
  const [low, next] = [lows[0]!, lows.find((key) => key > high)!]
  const put = (key: string) => ({ key, cid })
  const remove = (key: string) => ({ key, cid: undefined })

  it("an interrupted commit leaves the rows of its roots unchanged", () => {
    const life = new Life()
    for (const key of [low, high]) life.write([put(key)])
    life.write([remove(high)], true)
    life.write([put(beyond)])
    life.check()
    life.write([remove(low)])
    life.check()
  })

  it("a root keeps its row when a change is undone before it becomes a node below", () => {
    const life = new Life()
    life.write([put(low), put(next)])
    life.write([put(high), remove(high), put(beyond)])
    life.check()
  })
})

for (const [name, newKey] of Object.entries(keySpaces)) {
  describe(`the table of clusters, ${name}`, () => {
    it("the cluster table holds exactly the tree's clusters after interruptions, sleep, exports and imports", () => {
      Support.forSeeds(runs, (chance) => {
        const life = new Life()
        for (let steps = 5 + chance.below(35); steps > 0; steps--) {
          const luck = chance.next()
          if (luck < 0.7) life.writeSome(chance, () => newKey(chance))
          else if (luck < 0.8) life.sleep()
          else if (luck < 0.95) life.export()
          else life.replace(chance, () => newKey(chance))
          life.readOn(chance.below(12))
          life.check()
        }
        life.readOn(Infinity)
      })
    })
  })
}
