import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BlobStore, createNacre, Mailer } from "nacre/effect"

/** Logs the size of each blob that the server's own store keeps. */
const measured = Layer.effect(
  BlobStore,
  Effect.map(BlobStore, (store) =>
    BlobStore.of({
      ...store,
      put: (key, body, options) =>
        Effect.tap(store.put(key, body, options), ({ size }) => Effect.log("blob", { size }))
    })
  )
)

/** Logs mail instead of sending it. */
const logged = Layer.succeed(Mailer, {
  delivers: true,
  send: ({ to, purpose }) => Effect.log("mail", { to, purpose })
})

const nacre = createNacre({
  layers: (_env, standard) => ({
    blobStore: measured.pipe(Layer.provide(standard.blobStore)),
    mailer: logged
  })
})

export class Account extends nacre.Account {}
export class Sequencer extends nacre.Sequencer {}
export class Limiter extends nacre.Limiter {}
export default { fetch: nacre.fetch, scheduled: nacre.scheduled }
