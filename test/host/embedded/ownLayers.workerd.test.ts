import { assert, describe, it } from "@effect/vitest"
import { createExecutionContext } from "cloudflare:test"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BlobStore, createNacre, Mailer } from "../../../src/effect.ts"
import { bindings, type Bindings, newPerson, origin } from "../workerdWorld.ts"

/** The server's own blob store, with a record of what it stores. */
const counting = (stored: Array<number>) =>
  Layer.effect(
    BlobStore,
    Effect.map(BlobStore, (store) =>
      BlobStore.of({
        ...store,
        put: (key, body, options) =>
          Effect.tap(store.put(key, body, options), ({ size }) =>
            Effect.sync(() => void stored.push(size))
          )
      })
    )
  )

describe("createNacre with layers", () => {
  it("a layer may wrap the server's own blob store", async () => {
    const { authorization } = await newPerson()
    const stored: Array<number> = []
    const { fetch } = createNacre<Bindings>({
      layers: (_env, standard) => ({
        blobStore: counting(stored).pipe(Layer.provide(standard.blobStore))
      })
    })
    const upload = new Request(`${origin}/xrpc/com.atproto.repo.uploadBlob`, {
      method: "POST",
      headers: { authorization, "content-type": "text/plain" },
      body: "hello"
    })
    assert.strictEqual((await fetch(upload, bindings, createExecutionContext())).status, 200)
    assert.deepStrictEqual(stored, [5])
  })

  it("a mail layer sends and is reported at /ready, and a blob store layer needs no bucket", async () => {
    const mails: Array<string> = []
    const { BLOBS: _, ...env } = bindings
    const { fetch } = createNacre<Bindings>({
      layers: () => ({
        mailer: Layer.succeed(Mailer, {
          delivers: true,
          send: ({ to, purpose }) => Effect.sync(() => void mails.push(`${purpose} ${to}`))
        }),
        blobStore: Layer.succeed(BlobStore, {
          put: () => Effect.die("no blob here"),
          get: () => Effect.succeed(undefined),
          delete: () => Effect.void,
          head: () => Effect.succeed(undefined)
        })
      })
    })
    // SAFETY: the missing binding is what this test is about.
    const bare = env as Bindings
    const ask = (path: string, init: RequestInit = {}) =>
      fetch(new Request(`${origin}${path}`, init), bare, createExecutionContext())
    const ready = await ask("/ready")
    assert.strictEqual(ready.status, 200)
    assert.deepInclude(await ready.json<object>(), { ready: true, sendsMail: true })
    const { did } = await newPerson()
    const answer = await ask("/xrpc/com.atproto.admin.sendEmail", {
      method: "POST",
      headers: {
        authorization: `Basic ${btoa(`admin:${bindings.ADMIN_PASSWORD}`)}`,
        "content-type": "application/json"
      },
      body: JSON.stringify({ recipientDid: did, senderDid: did, content: "hello" })
    })
    assert.deepStrictEqual(await answer.json(), { sent: true })
    assert.match(mails.join(), /^admin person\d+@example\.com$/)
  })
})
