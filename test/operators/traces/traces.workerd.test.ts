import { assert, describe, it } from "@effect/vitest"
import { runInDurableObject } from "cloudflare:test"
import { failures } from "../../../src/http/errors.ts"
import { makeWorker } from "../../../src/http/webHandler.ts"
import * as Cloudflare from "../../../src/layers/Cloudflare.ts"
import type { AccountStub } from "../../../src/layers/objects/AccountsObject.ts"
import { Account } from "../../../src/main.ts"
import { bindings, newPerson, objectOf, origin } from "../../host/workerdWorld.ts"
import { attributesOf, startCollector } from "./collector.ts"

const collectorOrigin = "https://otel.example.com"

const traced = {
  ...bindings,
  OTEL_EXPORTER_OTLP_ENDPOINT: collectorOrigin,
  OTEL_TRACES_SAMPLER_ARG: "1"
}

/** The accounts' objects, configured to send traces as the Worker does. */
const namespace = {
  idFromName: (did: string) => did,
  get: (did: string) => {
    const within = <A>(run: (account: AccountStub) => Promise<A>) =>
      runInDurableObject(objectOf(did), (_, state) =>
        // SAFETY: the class has these methods.
        run(new Account(state, traced) as unknown as AccountStub)
      )
    return {
      fetch: (request: Request) => within((account) => account.fetch(request)),
      call: (...given: Parameters<AccountStub["call"]>) =>
        within((account) => account.call(...given))
    } satisfies AccountStub
  }
}

describe("traces on Workers", () => {
  it("the Worker and the account's object send their parts of one trace after the response", async () => {
    const { did, authorization } = await newPerson()
    const collector = startCollector(collectorOrigin)
    try {
      // SAFETY: the Worker uses these methods of a namespace only.
      const env = { ...traced, ACCOUNT: namespace } as unknown as Cloudflare.Env
      const worker = makeWorker(Cloudflare.host(env, failures))
      const ask = (headers: Record<string, string> = {}) =>
        worker.fetch(
          new Request(`${origin}/xrpc/com.atproto.server.getSession`, {
            headers: { authorization, ...headers }
          })
        )
      const answered = await ask({ "x-nacre-trace": `${"a".repeat(32)}-${"b".repeat(16)}` })
      assert.strictEqual(answered.status, 200, await answered.text())
      const own = await collector.of(answered)
      const root = own.spans.find(({ parentSpanId }) => parentSpanId === undefined)!
      assert.strictEqual(attributesOf(root)["http.route"], "/xrpc/com.atproto.server.getSession")
      await collector.until((sent) => sent.length >= 2)
      const inside = collector.sent.find((one) => one !== own)!
      assert.isTrue(inside.spans.every(({ traceId }) => traceId === root.traceId))
      const part = inside.spans.find(({ name }) => name === "account.serve")!
      assert.include(
        own.spans.map(({ spanId }) => spanId),
        part.parentSpanId
      )
      assert.notInclude(collector.sent.map(({ text }) => text).join(), did)
    } finally {
      collector.stop()
    }
  })
})
