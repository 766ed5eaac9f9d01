import { assert, describe, it } from "@effect/vitest"
import { request } from "node:http"
import type { TestServer } from "../support/server/server.ts"

/** How often each request is sent: a cut connection only shows by chance. */
const times = 6

const bytes = (length: number) => new Uint8Array(length).fill(32)

const chunks = (length: number): ReadableStream<Uint8Array> => {
  let left = length
  return new ReadableStream({
    pull: (controller) => {
      if (left <= 0) return controller.close()
      controller.enqueue(bytes(Math.min(left, 65_536)))
      left -= 65_536
    }
  })
}

/** The tests of rejected bodies. */
export const refusalSuite = (name: string, server: () => TestServer) => {
  describe(`a body that is refused by ${name}`, () => {
    /** Sends a body in both ways, several times; returns the distinct outcomes. */
    const outcomes = async (path: string, length: number, headers: Record<string, string>) => {
      const seen = new Set<string>()
      for (let nth = 0; nth < times; nth++) {
        const body = nth % 2 === 0 ? bytes(length) : chunks(length)
        const init = { method: "POST", headers, body, duplex: "half" } as RequestInit
        const answer = await fetch(`${server().url}${path}`, init)
        const { error = "none" } = (await answer.json().catch(() => ({}))) as { error?: string }
        seen.add(`${answer.status} ${error}`)
      }
      return [...seen]
    }

    it.concurrent("the server rejects a body with a response that arrives, however large the rest is", async () => {
      const json = { "content-type": "application/json" }
      const createSession = "/xrpc/com.atproto.server.createSession"
      for (const length of [200_000, 5_000_000, 20_000_000]) {
        const tooLarge = await outcomes(createSession, length, json)
        assert.deepStrictEqual(tooLarge, ["413 PayloadTooLarge"], `${length} bytes`)
      }
      const missing = ["401 AuthMissing"]
      const upload = "/xrpc/com.atproto.repo.uploadBlob"
      const write = "/xrpc/com.atproto.repo.createRecord"
      assert.deepStrictEqual(
        await outcomes(upload, 5_000_000, { "content-type": "image/png" }),
        missing
      )
      assert.deepStrictEqual(await outcomes(write, 5_000_000, json), missing)
      assert.deepStrictEqual(await outcomes("/nowhere", 5_000_000, json), ["404 none"])
    })

    // A local server gives such a body two seconds, in which the other test sends its bodies.
    it.concurrent("the server doesn't wait for the rest of a rejected body", async () => {
      const status = await new Promise((resolve, reject) => {
        const sent = request(`${server().url}/xrpc/com.atproto.repo.createRecord`, {
          method: "POST",
          headers: { "content-type": "application/json", "content-length": 1_000_000 }
        })
        sent.once("response", (answer) => {
          resolve(answer.statusCode)
          sent.destroy()
        })
        sent.once("error", reject)
        sent.write("{")
      })
      assert.strictEqual(status, 401)
    })
  })
}
