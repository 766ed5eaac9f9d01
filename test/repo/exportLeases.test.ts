import { assert, describe, it } from "@effect/vitest"
import {
  type Exporting,
  type ExportLease,
  ExportLeases
} from "../../src/services/repo/exportLeases.ts"

const stranger = (did: string, network: string | undefined): Exporting => ({
  did,
  network,
  isOwner: false
})

/** Takes leases for everyone who gets one. */
const takeAll = (
  leases: ExportLeases,
  count: number,
  who: (n: number) => Exporting,
  now = 0
): Array<ExportLease> =>
  Array.from({ length: count }, (_, n) => leases.take(who(n), now)).filter(
    (lease) => lease !== undefined
  )

describe("concurrent exports", () => {
  it("exports are limited by account, by network and in total", () => {
    const one = new ExportLeases()
    assert.lengthOf(
      takeAll(one, 100, (n) => stranger("did:web:a", `network ${n}`)),
      8
    )
    assert.lengthOf(
      takeAll(one, 100, (n) => stranger("did:web:b", `network ${n}`)),
      8
    )
    const near = new ExportLeases()
    assert.lengthOf(
      takeAll(near, 100, () => stranger("did:web:a", "one network")),
      4
    )
    assert.lengthOf(
      takeAll(near, 100, (n) => stranger(`did:web:${n}`, "one network")),
      12
    )
    const all = new ExportLeases()
    assert.lengthOf(
      takeAll(all, 100, (n) => stranger(`did:web:${n}`, `network ${n}`)),
      32
    )
  })

  it("owners have a limited number of places that strangers can't take", () => {
    const leases = new ExportLeases()
    takeAll(leases, 100, (n) => stranger(`did:web:${n}`, `network ${n}`))
    const owner = { did: "did:web:1", network: "network 1", isOwner: true }
    assert.lengthOf(
      takeAll(leases, 100, () => owner),
      8
    )
  })

  it("a new export ends the slowest reader after its grace period, and no other", () => {
    const leases = new ExportLeases()
    const [fast, slow, ...others] = takeAll(leases, 8, (n) => stranger("did:web:a", `${n}`))
    const second = 1000
    for (const lease of others) leases.passed(lease, 30 * 64 * 1024, 5 * second)
    leases.passed(fast!, 50_000_000, 5 * second)
    leases.passed(slow!, 64 * 1024, 5 * second)
    const newcomer = stranger("did:web:a", "new")
    assert.isUndefined(leases.take(newcomer, 9 * second))
    assert.isDefined(leases.take(newcomer, 10 * second))
    assert.deepStrictEqual(
      [fast, slow, ...others].map((lease) => lease?.isRevoked),
      [false, true, ...others.map(() => false)]
    )
    assert.strictEqual(leases.size, 8)
    assert.isUndefined(leases.take(newcomer, 10 * second))
  })

  it("exports without progress are forgotten", () => {
    const leases = new ExportLeases()
    const [first] = takeAll(leases, 8, (n) => stranger("did:web:a", `${n}`))
    leases.passed(first!, 1_000_000_000, 60_000)
    leases.take(stranger("did:web:b", undefined), 90_001)
    assert.strictEqual(leases.size, 2)
  })
})
