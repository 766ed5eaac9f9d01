import { assert, describe, it } from "@effect/vitest"
import { lineFor } from "../../scripts/devLog.ts"

const request = {
  message: "request",
  level: "INFO",
  timestamp: "2026-11-30T17:06:20.123Z",
  annotations: {
    id: "0123456789abcdef-VIE",
    http: "POST",
    method: "com.atproto.repo.createRecord",
    account: "did:plc:alice",
    status: 200,
    ms: 22
  }
}

describe("the log of the local server", () => {
  it("the log prints a request on one short line for people", () => {
    assert.strictEqual(
      lineFor(JSON.stringify(request), { hasColours: false }),
      "17:06:20  200 POST createRecord  did:plc:alice  22 ms"
    )
  })

  it("the log keeps a page's path, and every line that isn't the server's", () => {
    const page = { ...request, annotations: { ...request.annotations, method: "/account/:page" } }
    assert.include(lineFor(JSON.stringify(page), { hasColours: false }), "POST /account/:page ")
    for (const line of ["words of a library", "{}", "null", '{"half":']) {
      assert.strictEqual(lineFor(line, { hasColours: false }), line)
    }
  })

  it("the log colours a failure on a terminal", () => {
    const failed = { ...request, annotations: { ...request.annotations, status: 502 } }
    assert.include(lineFor(JSON.stringify(failed), { hasColours: true }), "\u001B[31m502 POST")
  })
})
