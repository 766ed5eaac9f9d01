import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { WebSocket } from "ws"
import { serve } from "../../src/layers/host/NodeServer.ts"
import * as RelaysOutgoing from "../../src/layers/stream/RelaysOutgoing.ts"
import * as SequencerMemory from "../../src/layers/stream/SequencerMemory.ts"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { collector, type Listener, sequencerContract } from "./sequencer.contract.ts"

const listen = (port: number, cursor: number | string | undefined): Promise<Listener> => {
  const { seen, add, until } = collector()
  const query = cursor === undefined ? "" : `?cursor=${cursor}`
  const socket = new WebSocket(
    `ws://127.0.0.1:${port}/xrpc/com.atproto.sync.subscribeRepos${query}`,
    { headers: { "user-agent": "contract" } }
  )
  const closed = new Promise<number>((resolve) => socket.on("close", resolve))
  socket.on("message", (data: Uint8Array) => add(data))
  const listener = {
    seen,
    until,
    closed,
    say: (text: string) => socket.send(text),
    close: () => socket.close()
  }
  return new Promise((resolve, reject) => {
    socket.on("error", reject)
    socket.on("open", () => resolve(listener))
  })
}

sequencerContract("memory, served by Node", (body) =>
  Effect.gen(function* () {
    const sequencer = yield* SequencerMemory.make
    const run = Effect.runPromiseWith(yield* Effect.context())
    const { port } = yield* serve({
      port: 0,
      sequencer,
      handler: (request) => run(sequencer.service.subscribe(request))
    })
    const database = yield* SqlStorage
    yield* Effect.promise(() =>
      body({
        sequencer: sequencer.service,
        subscribe: (cursor) => listen(port, cursor),
        sql: async (statement) => void database.exec(statement)
      })
    )
  }).pipe(
    Effect.scoped,
    Effect.provide(Layer.merge(SqlStorageNode.layer(":memory:"), RelaysOutgoing.layerNone)),
    Effect.runPromise
  )
)
