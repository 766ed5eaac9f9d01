import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { startPlc } from "../../scripts/plc.ts"
import { pdsOf, signingKeyOf } from "../../src/core/identity/didDocument.ts"
import {
  formatDidKey,
  generatePrivateKey,
  publicKeyOf,
  signBytes
} from "../../src/core/identity/didKey.ts"
import * as Plc from "../../src/core/identity/plcOperation.ts"
import * as OutgoingFetch from "../../src/layers/host/OutgoingFetch.ts"
import * as PlcHttp from "../../src/layers/identity/PlcHttp.ts"
import * as PlcMemory from "../support/network/PlcMemory.ts"
import { PlcDirectory } from "../../src/services/identity/PlcDirectory.ts"
import { internet } from "./support.ts"

const secret = generatePrivateKey("k256")
const key = formatDidKey(publicKeyOf("k256", secret))

const sign = <A extends Plc.Unsigned>(operation: A): Plc.Signed<A> =>
  Plc.withSignature(operation, signBytes("k256", secret, Plc.unsignedBytes(operation)))

/** The first operation of a new DID. */
const makeGenesis = (name: string) => {
  const genesis = sign(
    Plc.genesisOperation({
      rotationKeys: [key],
      verificationMethods: { atproto: key },
      alsoKnownAs: [`at://${name}.test`],
      services: {
        atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: "https://pds.example.com" }
      }
    })
  )
  return { genesis, did: Plc.didOfGenesis(genesis) }
}

const unknown = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"

/** An HTTP directory: a new server for each test. */
const overHttp = Layer.unwrap(
  Effect.acquireRelease(
    Effect.promise(() => startPlc()),
    (server) => Effect.promise(() => server.close())
  ).pipe(
    Effect.map(({ url, port }) =>
      PlcHttp.layer({ url }).pipe(
        Layer.provide(OutgoingFetch.layer({ allowHosts: [`127.0.0.1:${port}`] }))
      )
    )
  )
)

/** What every PLC directory guarantees. */
const plcContract = (name: string, layer: Layer.Layer<PlcDirectory>) =>
  describe(`PlcDirectory (${name})`, () => {
    const test = (
      title: string,
      body: (plc: PlcDirectory["Service"]) => Effect.Effect<void, unknown>
    ) => it.live(title, () => Effect.flatMap(PlcDirectory, body).pipe(Effect.provide(layer)))

    test("submit accepts a first operation, and data returns the DID's state", (plc) =>
      Effect.gen(function* () {
        const { genesis, did } = makeGenesis("one")
        yield* plc.submit(did, genesis)
        assert.deepStrictEqual(yield* plc.log(did), [genesis])
        assert.deepStrictEqual(yield* plc.last(did), genesis)
        assert.deepStrictEqual(yield* plc.data(did), Plc.dataOf(genesis))
        const document = yield* plc.document(did)
        assert.strictEqual(document.id, did)
        assert.strictEqual(signingKeyOf(document), key)
        assert.strictEqual(pdsOf(document), "https://pds.example.com")
      }))

    test("submit accepts a valid update, which is visible at once", (plc) =>
      Effect.gen(function* () {
        const { genesis, did } = makeGenesis("two")
        yield* plc.submit(did, genesis)
        const last = yield* plc.last(did)
        const update = sign(Plc.updateOperation(last, { alsoKnownAs: ["at://new.test"] }))
        yield* plc.submit(did, update)
        assert.deepStrictEqual(yield* plc.log(did), [genesis, update])
        assert.deepStrictEqual((yield* plc.document(did)).alsoKnownAs, ["at://new.test"])
      }))

    test("submit rejects an operation with a wrong predecessor, signature or DID", (plc) =>
      Effect.gen(function* () {
        const { genesis, did } = makeGenesis("three")
        const refusals = [
          yield* Effect.flip(plc.submit(unknown, genesis)),
          yield* Effect.flip(plc.submit(did, sign(Plc.updateOperation(genesis, {}))))
        ]
        yield* plc.submit(did, genesis)
        const stranger = Plc.withSignature(
          Plc.updateOperation(genesis, {}),
          signBytes("k256", generatePrivateKey("k256"), new Uint8Array(1))
        )
        refusals.push(yield* Effect.flip(plc.submit(did, stranger)))
        refusals.push(yield* Effect.flip(plc.submit(did, genesis)))
        for (const refusal of refusals) {
          assert.strictEqual(refusal._tag, "PlcRefused")
          assert.isTrue(refusal._tag === "PlcRefused" && refusal.reason.length > 5)
        }
        assert.deepStrictEqual(yield* plc.log(did), [genesis])
      }))

    test("a DID that was never created is not found", (plc) =>
      Effect.gen(function* () {
        for (const ask of [plc.log, plc.last, plc.data, plc.document]) {
          const error = yield* Effect.flip(
            ask(unknown) as Effect.Effect<unknown, { readonly _tag: string }>
          )
          assert.strictEqual(error._tag, "DidNotFound")
        }
      }))

    test("a tombstone ends a DID and stays in the log", (plc) =>
      Effect.gen(function* () {
        const { genesis, did } = makeGenesis("five")
        yield* plc.submit(did, genesis)
        const end = sign(Plc.tombstoneOperation(genesis))
        yield* plc.submit(did, end)
        assert.strictEqual((yield* Effect.flip(plc.data(did)))._tag, "DidDeactivated")
        assert.strictEqual((yield* Effect.flip(plc.document(did)))._tag, "DidDeactivated")
        assert.deepStrictEqual(yield* plc.last(did), end)
        assert.strictEqual((yield* plc.log(did)).length, 2)
      }))
  })

plcContract("memory", PlcMemory.layer)
plcContract("HTTP, against the development directory", overHttp)

describe("PlcDirectory over HTTP", () => {
  const at = (answer: () => Response) => {
    const { did } = makeGenesis("x")
    const net = internet({
      [`https://plc.example.com/${encodeURIComponent(did)}`]: answer,
      [`https://plc.example.com/${encodeURIComponent(did)}/log`]: answer
    })
    return {
      did,
      layer: PlcHttp.layer({ url: "https://plc.example.com/" }).pipe(
        Layer.provide(OutgoingFetch.layer({ fetch: net.fetch }))
      )
    }
  }

  for (const [what, answer] of [
    ["fails", () => new Response("", { status: 500 })],
    ["has had enough", () => new Response("", { status: 429 })],
    ["talks nonsense", () => new Response("<html>")],
    ["gives another DID's document", () => Response.json({ id: unknown })]
  ] as const) {
    it.effect(`the client fails with PlcUnavailable when the directory ${what}`, () => {
      const { did, layer } = at(answer)
      return Effect.gen(function* () {
        const plc = yield* PlcDirectory
        assert.strictEqual((yield* Effect.flip(plc.document(did)))._tag, "PlcUnavailable")
        assert.strictEqual((yield* Effect.flip(plc.log(did)))._tag, "PlcUnavailable")
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("the client passes on the directory's reason for a rejection", () => {
    const { did, layer } = at(() => Response.json({ message: "Too many keys" }, { status: 400 }))
    return Effect.gen(function* () {
      const plc = yield* PlcDirectory
      const error = yield* Effect.flip(plc.submit(did, makeGenesis("x").genesis))
      assert.strictEqual(error._tag === "PlcRefused" && error.reason, "Too many keys")
    }).pipe(Effect.provide(layer))
  })
})

describe("the development PLC directory", () => {
  it("the development directory keeps its operations in its file, and responds like the public one", async () => {
    const folder = mkdtempSync(join(tmpdir(), "plc-"))
    const file = join(folder, "plc.json")
    try {
      const { genesis, did } = makeGenesis("kept")
      const first = await startPlc({ file })
      const post = (body: string) => fetch(`${first.url}/${did}`, { method: "POST", body })
      assert.strictEqual((await post(JSON.stringify(genesis))).status, 200)
      for (const bad of [JSON.stringify(genesis), "{", "[]", "x".repeat(100_000)]) {
        const refused = await post(bad)
        assert.strictEqual(refused.status, 400)
        assert.isString(((await refused.json()) as { message: unknown }).message)
      }
      await first.close()
      assert.isTrue(readFileSync(file, "utf8").includes(did))

      const second = await startPlc({ file })
      try {
        const get = async (path: string) => (await fetch(`${second.url}${path}`)).json()
        assert.deepStrictEqual(await get(`/${did}/log`), [genesis])
        const [entry] = (await get(`/${did}/log/audit`)) as Array<Record<string, unknown>>
        assert.strictEqual(entry?.["cid"], Plc.cidOfOperation(genesis).toString())
        assert.strictEqual(entry?.["nullified"], false)
        assert.isFalse(Number.isNaN(Date.parse(String(entry?.["createdAt"]))))
        assert.property(await get("/_health"), "version")
        assert.strictEqual((await fetch(`${second.url}/${unknown}`)).status, 404)
      } finally {
        await second.close()
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
