import { assert, describe, it } from "@effect/vitest"
import { Overlay, OverlayOverflow } from "../../src/services/repo/Overlay.ts"

const megabyte = new Uint8Array(1024 * 1024)

const fill = (overlay: Overlay, name: string, megabytes: number) => {
  for (let n = 0; n < megabytes; n++) overlay.save(`${name}${n}`, megabyte)
}

describe("An overlay", () => {
  it("keeps rows for the exports that began before they were replaced, and no row that is newer", () => {
    const overlay = new Overlay()
    assert.isFalse(overlay.keeps("1"))
    const older = overlay.open("3")
    const newer = overlay.open("5")
    assert.deepStrictEqual(
      ["3", "5", "6"].map((rev) => overlay.keeps(rev)),
      [true, true, false]
    )
    newer.close()
    assert.isFalse(overlay.keeps("5"))
    older.close()
    older.close()
    assert.isFalse(overlay.active)
  })

  it("gives up the oldest export alone when writes replace more than 48 MiB", () => {
    const overlay = new Overlay()
    const oldest = overlay.open("1")
    fill(overlay, "a", 30)
    const newest = overlay.open("2")
    fill(overlay, "b", 30)
    assert.throws(() => oldest.get("a0"), OverlayOverflow)
    assert.strictEqual(newest.get("b0"), megabyte)
    assert.strictEqual(newest.get("b29"), megabyte)
    assert.isTrue(overlay.active)
    oldest.close()
    fill(overlay, "c", 30)
    assert.throws(() => newest.get("b0"), OverlayOverflow)
    assert.isFalse(overlay.active)
    newest.close()
  })

  it("frees what was kept for an export that has ended, and nothing that another needs", () => {
    const overlay = new Overlay()
    const oldest = overlay.open("1")
    fill(overlay, "a", 20)
    const newest = overlay.open("2")
    // The row was put back and replaced again: both exports need it.
    overlay.save("a0", megabyte)
    oldest.close()
    assert.strictEqual(newest.get("a0"), megabyte)
    assert.isUndefined(newest.get("a1"))
    fill(overlay, "b", 40)
    assert.strictEqual(newest.get("a0"), megabyte)
    newest.close()
  })

  it("that holds the most gives up an export when those of an isolate hold more than 64 MiB", () => {
    const large = new Overlay()
    const small = new Overlay()
    const most = large.open("1")
    const least = small.open("1")
    fill(large, "a", 40)
    fill(small, "b", 25)
    assert.throws(() => most.get("a0"), OverlayOverflow)
    assert.strictEqual(least.get("b0"), megabyte)
    most.close()
    least.close()
  })

  it("gives up all exports when another repo takes the place of the one that they read", () => {
    const overlay = new Overlay()
    const one = overlay.open("1")
    overlay.save("a", megabyte)
    overlay.spoil()
    assert.throws(() => one.get("a"), OverlayOverflow)
    const next = overlay.open("2")
    overlay.save("b", megabyte)
    assert.strictEqual(next.get("b"), megabyte)
    one.close()
    assert.strictEqual(next.get("b"), megabyte)
    next.close()
  })
})
