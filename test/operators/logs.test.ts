import { assert, describe, it } from "@effect/vitest"
import { documents, entriesOf, inWords, requestIdOf } from "../../src/cli/host/logEntries.ts"

const plain = { faint: (text: string) => text, bad: (text: string) => `!${text}` }

const line = (annotations: object, more: object = {}) => ({
  message: "request",
  level: "INFO",
  timestamp: "2026-11-30T17:06:20.123Z",
  annotations,
  ...more
})

const request = line({
  id: "0123456789abcdef-VIE",
  http: "POST",
  method: "com.atproto.repo.createRecord",
  account: "did:plc:alice",
  status: 200,
  ms: 22
})

const eventOf = (...logged: ReadonlyArray<unknown>) => ({
  outcome: "ok",
  logs: logged.map((one) => ({
    message: [typeof one === "string" ? one : JSON.stringify(one)],
    level: "log",
    timestamp: 1_796_058_380_000
  })),
  exceptions: []
})

describe("nacre logs", () => {
  it("logs reads wrangler's documents over several lines, and skips its other output", () => {
    const next = documents()
    const printed = [eventOf(request), eventOf("words")]
      .map((event) => JSON.stringify(event, null, 2))
      .join("\n")
    const found = `Connected to nacre\n${printed}\n${JSON.stringify(eventOf("short"))}`
      .split("\n")
      .map(next)
      .filter((document) => document !== undefined)
    assert.deepStrictEqual(found, [eventOf(request), eventOf("words"), eventOf("short")])
  })

  it("logs continues with the next document after an incomplete one", () => {
    const next = documents()
    for (const text of ["{", '  "logs": [']) assert.isUndefined(next(text))
    assert.isUndefined(next("{"))
    assert.deepStrictEqual(next("}"), {})
  })

  it("logs prints a request on one line with its id at the end", () => {
    const [entry] = entriesOf(eventOf(request))
    assert.deepStrictEqual(entry, request)
    assert.strictEqual(requestIdOf(request), "0123456789abcdef-VIE")
    assert.strictEqual(
      inWords(request, plain),
      "17:06:20  200 POST com.atproto.repo.createRecord  did:plc:alice  22 ms  0123456789abcdef-VIE"
    )
  })

  it("logs marks failures, and keeps other printed or thrown texts", () => {
    const failed = line(
      { id: "x", operation: "byEmail" },
      { message: "request failed", level: "ERROR", cause: [{ failure: "DirectoryUnavailable" }] }
    )
    assert.strictEqual(
      inWords(failed, plain),
      '17:06:20  !ERROR request failed  operation=byEmail  [{"failure":"DirectoryUnavailable"}]  x'
    )
    const event = {
      ...eventOf("words of a library"),
      exceptions: [{ name: "Error", message: "out of memory", timestamp: 1_796_058_380_000 }]
    }
    assert.deepStrictEqual(
      entriesOf(event).map((entry) => inWords(entry, plain)),
      ["17:06:20  LOG words of a library", "17:06:20  !ERROR Error: out of memory"]
    )
  })

  it("logs ignores a document of another shape", () => {
    for (const event of [undefined, null, 1, [], {}, { logs: [1, null] }]) {
      assert.deepStrictEqual(entriesOf(event), [])
    }
  })
})
