import { jsonToLex, lexicons } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { builtIn } from "../../../src/core/lexicon/Lexicons.ts"
import { official } from "../../support/lexicons.ts"
import { fromJson } from "../../../src/core/repo/json.ts"
import type { Answered } from "../../support/http/httpHost.ts"
import { allMethods, goodCall, samples } from "../../support/http/httpMethods.ts"
import { startWorld, type World } from "../../support/http/httpWorld.ts"

describe("every method", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  it("every method has a sample call, and no sample is left of a removed method", () => {
    assert.deepStrictEqual(Object.keys(samples).toSorted(), allMethods)
  })

  /** Checks a response against its lexicon with two implementations. */
  const checkAnswer = (nsid: string, { headers, body, bytes }: Answered) => {
    const encoding = official.method(nsid)?.output?.encoding
    if (encoding === undefined) {
      assert.strictEqual(bytes.length, 0)
      assert.isNull(headers.get("content-type"), "an empty body has no type")
      return
    }
    const type = headers.get("content-type")?.split(";")[0] ?? ""
    if (encoding !== "*/*") assert.strictEqual(type, encoding)
    if (encoding !== "application/json") {
      assert.isAbove(bytes.length, 0)
      return
    }
    const checked = official.checkOutput(nsid, fromJson(body))
    assert.isTrue(Result.isSuccess(checked), JSON.stringify(checked))
    lexicons.assertValidXrpcOutput(nsid, jsonToLex(body))
  }

  for (const nsid of allMethods) {
    if (nsid === "com.atproto.sync.subscribeRepos") continue
    it(`${nsid} responds to a valid call as its lexicon says`, async () => {
      const answer = await world.call(nsid, await goodCall(world, nsid))
      assert.strictEqual(answer.status, 200, answer.text)
      checkAnswer(nsid, answer)
      // Its own valid call deactivates the account, which the next one needs.
      if (nsid === "com.atproto.server.deactivateAccount") {
        const again = "com.atproto.server.activateAccount"
        assert.strictEqual((await world.call(again, await goodCall(world, again))).status, 200)
      }
    })
  }

  it("subscribeRepos requires a WebSocket: 426 without one, 405 for a POST", async () => {
    const nsid = "com.atproto.sync.subscribeRepos"
    const answer = await world.call(nsid)
    assert.strictEqual(answer.status, 426)
    assert.strictEqual(answer.headers.get("upgrade")?.toLowerCase(), "websocket")
    assert.strictEqual((await world.call(nsid, { method: "POST" })).status, 405)
    const upgrade = { upgrade: "websocket" }
    const bad = await world.call(nsid, { params: { cursor: "abc" }, headers: upgrade })
    assert.strictEqual(bad.status, 400)
  })

  it("every query answers HEAD like GET, without the body", async () => {
    for (const nsid of allMethods) {
      if (builtIn.kindOf(nsid) !== "query") continue
      const good = await goodCall(world, nsid)
      const answer = await world.call(nsid, { ...good, method: "HEAD" })
      const expected = nsid === "com.atproto.sync.subscribeRepos" ? 405 : 200
      assert.strictEqual(answer.status, expected, nsid)
      assert.strictEqual(answer.bytes.length, 0, nsid)
    }
  })
})
