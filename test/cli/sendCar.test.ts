import { assert, describe, it } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { sendCar } from "../../src/cli/backup/sending.ts"

const remote = { server: "https://pds.example.com", authorization: Effect.succeed("Bearer x") }

/** Sends a CAR to a server with this response; returns the command's output. */
const said = (body: string) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const client = HttpClient.make((request) =>
      Effect.succeed(HttpClientResponse.fromWeb(request, new Response(body)))
    )
    const console = yield* Console.Console
    yield* sendCar(remote, new Blob(["car"])).pipe(
      Effect.provideService(HttpClient.HttpClient, client),
      Effect.provideService(Console.Console, {
        ...console,
        error: (...args: ReadonlyArray<unknown>) => void lines.push(args.join(" "))
      })
    )
    return lines.join("\n")
  }).pipe(Effect.runPromise)

const record = (n: number) => ({ uri: `at://did:plc:x/com.example.note/${n}`, reason: "a float" })

describe("the command that sends a repo", () => {
  it("an import names some records that the server kept as they came, and counts the rest", async () => {
    const records = Array.from({ length: 30 }, (_, n) => record(n))
    const text = await said(JSON.stringify({ keptAsTheyCame: 31, records }))
    assert.include(text, "31 old records")
    assert.include(text, "at://did:plc:x/com.example.note/19: a float")
    assert.notInclude(text, "note/20")
    assert.include(text, "and 11 more")
  })

  it("an import says nothing if all records are valid or another server answers differently", async () => {
    for (const body of ["", "{}", '{"keptAsTheyCame":"many"}', "[]", "null"]) {
      assert.strictEqual(await said(body), "", body)
    }
  })

  it("an import strips a server's control characters", async () => {
    const records = [{ uri: "at://x\u001b[2J", reason: "\u0007" }]
    const text = await said(JSON.stringify({ keptAsTheyCame: 1, records }))
    assert.notInclude(text, "\u001b")
    assert.notInclude(text, "\u0007")
  })
})
