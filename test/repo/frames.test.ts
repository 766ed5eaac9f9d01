import { blocksToCarFile, readCarWithRoot } from "@atproto/repo"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Body, checkFrame, type Frame, type Mirror } from "../support/server/serverFrames.ts"
import { makeWorld } from "../host/faults/world.ts"

/** A repo of some records, the frame that deletes one in the middle, and the frames before it. */
const deletion = Effect.gen(function* () {
  const { person, call, pass, keyOf, of } = yield* makeWorld
  const { did, auth, post } = yield* person("alice")
  for (let at = 0; at < 30; at++) yield* post(`number ${at}`)
  yield* pass(2)
  const { path } = of(did).at(-10)!.body.ops[0]!
  const [collection, rkey] = path.split("/")
  const input = { repo: did, collection, rkey }
  yield* call("com.atproto.repo.deleteRecord", { input, auth })
  yield* pass(2)
  return { frames: of(did), key: yield* keyOf(did) }
})

/** A relay's state after these frames. */
const followed = (frames: ReadonlyArray<Frame>, key: string) =>
  Effect.promise(async () => {
    const mirrors = new Map<string, Mirror>()
    for (const frame of frames) await checkFrame(frame, async () => key, mirrors)
    return mirrors
  })

describe("the strict relay that these tests use", () => {
  it.effect("the relay accepts a valid stream", () =>
    Effect.gen(function* () {
      const { frames, key } = yield* deletion
      assert.strictEqual(frames.at(-1)!.body.ops[0]!.action, "delete")
      const [mirror] = (yield* followed(frames, key)).values()
      assert.strictEqual(mirror!.records.size, 29)
    }).pipe(Effect.scoped)
  )

  it.effect("the relay rejects a stream with any one field wrong", () =>
    Effect.gen(function* () {
      const { frames, key } = yield* deletion
      const last = frames.at(-1)!
      const { body } = last
      const before = yield* followed(frames.slice(0, -1), key)
      const take = (change: Partial<Body>, by = key) =>
        Effect.tryPromise(() =>
          checkFrame(
            { ...last, body: { ...body, ...change } },
            async () => by,
            structuredClone(before)
          )
        )
      const [{ prev: _, ...op }] = body.ops as [Body["ops"][number]]
      const { root, blocks } = yield* Effect.promise(() => readCarWithRoot(body.blocks))
      const changes: Array<Partial<Body>> = [
        { prevData: frames.at(-3)!.body.prevData! },
        { since: frames.at(-3)!.body.rev },
        { ops: [op] },
        { ops: [] },
        { rev: frames.at(-2)!.body.rev },
        { tooBig: true },
        { time: "2026-01-01T00:00:00.000Z" }
      ]
      for (const { cid } of blocks.entries()) {
        const rest = yield* Effect.promise(async () => (await readCarWithRoot(body.blocks)).blocks)
        rest.delete(cid)
        changes.push({ blocks: yield* Effect.promise(() => blocksToCarFile(root, rest)) })
      }
      for (const change of changes) {
        const exit = yield* Effect.exit(take(change))
        assert.strictEqual(exit._tag, "Failure", `${Object.keys(change)} is noticed`)
      }
      const stranger = "did:key:zQ3shZc2QzApp2oymGvQbzP8eKheVshBHbU4ZYjeXqwSKEn6N"
      assert.strictEqual((yield* Effect.exit(take({}, stranger)))._tag, "Failure")
      yield* take({})
    }).pipe(Effect.scoped)
  )
})
