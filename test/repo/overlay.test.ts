import { assert, describe, it } from "@effect/vitest"
import { Overlay, OverlayOverflow } from "../../src/services/repo/Overlay.ts"

const megabyte = new Uint8Array(1024 * 1024)

const fill = (overlay: Overlay, name: string, megabytes: number) => {
  for (let n = 0; n < megabytes; n++) overlay.save(`${name}${n}`, megabyte)
}

describe("the overlay of an export", () => {
  it("an overlay keeps rows for exports that started before they were replaced, and no newer row", () => {
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

  it("an overlay gives up only the oldest export when writes replace more than 48 MiB", () => {
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

  it("an overlay frees what was kept for a finished export, and nothing that another needs", () => {
    const overlay = new Overlay()
    const oldest = overlay.open("1")
    fill(overlay, "a", 20)
    const newest = overlay.open("2")
    // The row was restored and replaced again, so both exports need it.
    overlay.save("a0", megabyte)
    oldest.close()
    assert.strictEqual(newest.get("a0"), megabyte)
    assert.isUndefined(newest.get("a1"))
    fill(overlay, "b", 40)
    assert.strictEqual(newest.get("a0"), megabyte)
    newest.close()
  })

  it("the largest overlay gives up an export when an isolate's overlays exceed 64 MiB", () => {
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

  it("spoil ends all exports when another repo replaces the one that they read", () => {
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
