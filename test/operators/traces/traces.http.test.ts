import { afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { ok, type Person, post, signUp } from "../../support/http/httpWorld.ts"
import { type Answered, basic, type Host, startHost } from "../../support/http/httpHost.ts"
import { attributesOf, type Sent, type SentSpan, startCollector } from "./collector.ts"

const origin = "https://otel.example.com"
const secret = "Bearer the-collector-secret"

const env = {
  OTEL_EXPORTER_OTLP_ENDPOINT: `${origin}/`,
  OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(secret)}`,
  OTEL_TRACES_SAMPLER_ARG: "1"
}

let host: Host
let alice: Person
let collector: ReturnType<typeof startCollector>

const start = async (more: Readonly<Record<string, string>> = {}) => {
  host = await startHost({ ...env, ...more })
  collector = startCollector(origin)
  alice = await signUp(host, "alice")
}

beforeEach(() => start())
afterEach(async () => {
  collector.stop()
  await host.close()
})

const rootOf = ({ spans }: Sent): SentSpan =>
  spans.find(({ parentSpanId }) => parentSpanId === undefined)!

const write = (text: string) => {
  const { auth, did: repo } = alice
  const input = { repo, collection: "app.bsky.feed.post", record: post(text) }
  return host.call("com.atproto.repo.createRecord", { auth, input })
}

describe("traces", () => {
  it("a request's spans, also those of its account, reach the collector as one trace", async () => {
    const asked = { auth: basic(), params: { did: alice.did } }
    const answered = await host.call("com.atproto.admin.getSubjectStatus", asked)
    ok(answered)
    const sent = await collector.of(answered)
    assert.strictEqual(sent.headers.get("authorization"), secret)
    assert.strictEqual(sent.headers.get("content-type"), "application/json")
    const root = rootOf(sent)
    assert.strictEqual(root.name, "GET /xrpc/com.atproto.admin.getSubjectStatus")
    assert.strictEqual(root.kind, 2)
    assert.deepStrictEqual(attributesOf(root), {
      "http.request.method": "GET",
      "http.route": "/xrpc/com.atproto.admin.getSubjectStatus",
      "http.response.status_code": "200",
      "nacre.request.id": answered.headers.get("x-request-id") ?? ""
    })
    const ids = new Set(sent.spans.map(({ spanId }) => spanId))
    assert.strictEqual(ids.size, sent.spans.length)
    assert.include(
      sent.spans.map(({ name }) => name),
      "subjectStatus"
    )
    for (const span of sent.spans) {
      assert.match(span.traceId, /^[0-9a-f]{32}$/)
      assert.strictEqual(span.traceId, root.traceId)
      if (span !== root) assert.isTrue(ids.has(span.parentSpanId ?? ""), span.name)
      assert.isTrue(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano), span.name)
      assert.match(span.startTimeUnixNano, /^1\d{18}$/)
    }
  })

  it("no span holds what a person or an app sent, or a secret", async () => {
    const bob = await signUp(host, "bob")
    const traceOf = async (make: () => Promise<Answered>) => collector.of(await make())
    const code = "a secret code in a query"
    await traceOf(() => write("a private thought"))
    await traceOf(() =>
      host.call("com.atproto.server.createSession", {
        input: { identifier: alice.email, password: alice.password }
      })
    )
    await traceOf(() =>
      host.call("com.atproto.server.createSession", {
        input: { identifier: alice.handle, password: "a wrong password" }
      })
    )
    await traceOf(() =>
      host.call("com.atproto.repo.getRecord", {
        auth: bob.auth,
        params: { repo: bob.did, collection: "app.bsky.feed.post", rkey: "3kaaaaaaaaa22" }
      })
    )
    await traceOf(() =>
      host.call("com.atproto.admin.sendEmail", {
        auth: basic(),
        input: { recipientDid: bob.did, content: "a letter", senderDid: alice.did }
      })
    )
    await traceOf(() => host.call("com.atproto.repo.createRecord", { auth: "Bearer x.y.z" }))
    await traceOf(() => host.ask(`/no-such-path/${alice.handle}`, { params: { code } }))
    await traceOf(() => host.ask("/xrpc/not an nsid", { headers: { "user-agent": "an agent" } }))
    await signUp(host, "newcomer")
    await traceOf(() => host.ask("/xrpc/_health"))
    const all = collector.sent.map(({ text }) => text).join("\n")
    for (const word of [
      ...[alice, bob].flatMap(({ did, email, handle, password, auth }) => [
        did,
        email,
        handle,
        password,
        auth.slice(7)
      ]),
      "a private thought",
      "a wrong password",
      "a letter",
      "x.y.z",
      code,
      "no-such-path",
      "not an nsid",
      "not%20an",
      "an agent",
      "newcomer",
      secret.slice(7),
      "3kaaaaaaaaa22"
    ]) {
      assert.notInclude(all, word)
    }
  })

  it("a failed span names its failure alone", async () => {
    const { auth, did } = alice
    const params = { repo: did, collection: "app.bsky.feed.post", rkey: "nothing-here" }
    const sent = [
      await collector.of(await host.call("com.atproto.repo.getRecord", { auth, params })),
      await collector.of(await host.ask("/admin/operators", { auth: basic("not the password") }))
    ]
    const failed = sent.flatMap(({ spans }) => spans).filter(({ status }) => status.code)
    assert.isNotEmpty(failed)
    for (const span of failed) assert.match(attributesOf(span)["error.type"] ?? "", /^\w+$/)
  })

  it("nothing is sent without a collector, and nothing at a ratio of 0", async () => {
    for (const more of [{ OTEL_EXPORTER_OTLP_ENDPOINT: "" }, { OTEL_TRACES_SAMPLER_ARG: "0" }]) {
      collector.stop()
      await host.close()
      await start(more)
      for (let at = 0; at < 20; at++) ok(await host.ask("/xrpc/_health"))
      assert.isEmpty(collector.sent)
    }
  })

  it("a client can't put a request into a trace", async () => {
    const trace = `${"a".repeat(32)}-${"b".repeat(16)}`
    const headers = { "x-nacre-trace": trace, traceparent: `00-${trace}-01` }
    const { auth, did } = alice
    const asked = { auth, params: { repo: did }, headers }
    const answered = await host.call("com.atproto.repo.describeRepo", asked)
    assert.notInclude((await collector.of(answered)).text, "aaaaaaaa")
  })

  it("a collector that is down harms no request, is reported once, and gets traces again after a minute", async () => {
    collector.stop()
    await host.close()
    await start({ LOG_LEVEL: "info" })
    const lines: Array<string> = []
    const spy = vi.spyOn(console, "log").mockImplementation((line) => void lines.push(String(line)))
    try {
      for (const how of [
        (): Response => {
          throw new TypeError("fetch failed")
        },
        () => new Response("busy", { status: 503 })
      ]) {
        collector.answers(how)
        for (let at = 0; at < 10; at++) ok(await write(`post ${at}`))
        host.advance(61_000)
        await collector.of(await write("after a pause"))
        host.advance(61_000)
      }
      const reported = () => lines.filter((line) => line.includes("traces can't be sent"))
      assert.strictEqual(reported().length, 1)
      assert.notInclude(lines.join("\n"), secret.slice(7))
      collector.answers(() => new Response("{}"))
      for (const text of ["it works again", "and again"]) await collector.of(await write(text))
      assert.strictEqual(
        lines.filter((line) => line.includes("sent to the collector again")).length,
        1
      )
      assert.strictEqual(reported().length, 1)
    } finally {
      spy.mockRestore()
    }
  })
})
