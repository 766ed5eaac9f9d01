import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layer, SharedTurn } from "../../src/services/host/SharedTurn.ts"

const newTurn = () =>
  Effect.runSync(
    Effect.scoped(Effect.map(Layer.build(layer), (made) => Context.get(made, SharedTurn)))
  )

/** Lets everything run that has nothing to wait for. */
const settle = async () => {
  for (let n = 0; n < 20; n++) await Promise.resolve()
}

/** Inputs that come on demand, and the names of those that have continued. */
const world = () => {
  const turn = newTurn()
  const continued: Array<string> = []
  const expect = (name: string) => {
    let come = () => {}
    let fail = () => {}
    const input = new Promise<string>((resolve, reject) => {
      come = () => resolve(name)
      fail = () => reject(new Error(name))
    })
    const done = turn.join(input).then(
      (value) => void continued.push(value),
      () => void continued.push(`no ${name}`)
    )
    return { come, fail, done }
  }
  return { continued, expect }
}

describe("a shared turn", () => {
  it("an input that comes alone continues at once", async () => {
    const { continued, expect } = world()
    const one = expect("one")
    one.come()
    await settle()
    assert.deepStrictEqual(continued, ["one"])
  })

  it("inputs that are on their way together continue together, in the order in which they came", async () => {
    const { continued, expect } = world()
    const inputs = ["one", "two", "three"].map(expect)
    inputs[1]!.come()
    inputs[0]!.come()
    await settle()
    assert.deepStrictEqual(continued, [])
    inputs[2]!.come()
    await settle()
    assert.deepStrictEqual(continued, ["two", "one", "three"])
    const last = expect("four")
    last.come()
    await settle()
    assert.deepStrictEqual(continued, ["two", "one", "three", "four"])
  })

  it("an input that never comes holds up those beside it for a moment, and later ones not at all", async () => {
    const { continued, expect } = world()
    const late = expect("late")
    const one = expect("one")
    one.come()
    await one.done
    assert.deepStrictEqual(continued, ["one"])
    const two = expect("two")
    two.come()
    await settle()
    assert.deepStrictEqual(continued, ["one", "two"])
    late.come()
    await settle()
    assert.deepStrictEqual(continued, ["one", "two", "late"])
  })

  it("an input that fails holds up no other", async () => {
    const { continued, expect } = world()
    const broken = expect("broken")
    const one = expect("one")
    one.come()
    broken.fail()
    await settle()
    assert.deepStrictEqual(continued.toSorted(), ["no broken", "one"])
  })
})
