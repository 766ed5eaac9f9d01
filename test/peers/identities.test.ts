import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { AtpAgent } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { startServer, temporaryFolder } from "../../bench/server.ts"
import { formatDidKey, publicKeyOf } from "../../src/core/identity/didKey.ts"
import {
  cidOfOperation,
  type PlcData,
  type PlcOperation,
  type PlcUpdate,
  signerOf,
  unsignedBytes,
  updateOperation,
  withSignature
} from "../../src/core/identity/plcOperation.ts"
import { Keys, type PrivateKey } from "../../src/services/identity/Keys.ts"
import { Alerts } from "../../src/services/operators/Alerts.ts"
import { watch } from "../../src/services/operators/watch/watch.ts"
import * as KeysMaster from "../../src/layers/identity/KeysMaster.ts"
import { parseVars } from "../../scripts/env.ts"
import { makeDesk } from "../cli/command.ts"
import { bundledCommand } from "../support/server/bundledCommand.ts"
import { bearer, type Host, startHost } from "../support/http/httpHost.ts"
import { ok, type Person, session, signUp } from "../support/http/httpWorld.ts"
import { freePort } from "../support/server/server.ts"
import { type Plc, sharedPlc } from "./peers.ts"

const keyOf = (hex: string): PrivateKey => {
  const secret = Buffer.from(hex, "hex")
  return {
    curve: "k256",
    didKey: formatDidKey(publicKeyOf("k256", secret)),
    secret: Redacted.make(secret)
  }
}

/** An owner's recovery key, and one that a stranger has. */
const [owner, stranger] = [keyOf("61".repeat(32)), keyOf("62".repeat(32))]

const keys = KeysMaster.layer({
  masterKey: Redacted.make(Buffer.alloc(32, 3)),
  masterKeyPrevious: undefined
})

const signedBy = (
  key: PrivateKey,
  operation: ReturnType<typeof updateOperation>
): Promise<PlcUpdate> =>
  Effect.gen(function* () {
    const signer = yield* (yield* Keys).signer(key)
    return withSignature(operation, yield* signer.sign(unsignedBytes(operation)))
  }).pipe(Effect.provide(keys), Effect.runPromise)

/** The platform's own, before a host replaces it. */
const direct = globalThis.fetch

const readLog = async ({ url }: Plc, did: string): Promise<ReadonlyArray<PlcOperation>> =>
  (await direct(`${url}/${did}/log`)).json() as Promise<ReadonlyArray<PlcOperation>>

const dataOfDid = async ({ url }: Plc, did: string) =>
  (await direct(`${url}/${did}/data`)).json() as Promise<PlcData>

/** Sends an operation to the directory; the server doesn't see it. */
const submit = async ({ url }: Plc, did: string, operation: PlcOperation) => {
  const answer = await direct(`${url}/${did}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(operation)
  })
  assert.strictEqual(answer.status, 200, await answer.text())
}

/** Changes a DID with any of its rotation keys, as a program of the key's holder does. */
const operate = async (plc: Plc, did: string, key: PrivateKey, change: Partial<PlcData>) => {
  const last = (await readLog(plc, did)).at(-1)!
  await submit(plc, did, await signedBy(key, updateOperation(last, change)))
}

describe("the watch over the PLC directory's own server", () => {
  const hour = 3_600_000
  let plc: Plc
  let host: Host
  beforeAll(async () => {
    plc = await sharedPlc()
    const port = Number(new URL(plc.url).port)
    host = await startHost({}, { plc: { port, url: plc.url, close: async () => {} } })
  })
  afterAll(async () => {
    await host.close()
  })

  /** The open alerts about foreign operations. */
  const open = async () => {
    const alerts = await host.beneath(
      Effect.flatMap(Alerts, (service) => service.list({ past: false, limit: 50 }))
    )
    return alerts.filter(({ kind }) => kind === "foreign-operation").map(({ subject }) => subject)
  }

  /** Looks every five minutes until the alerts are about these accounts; returns how long it took. */
  const watchUntil = async (dids: ReadonlyArray<string>, atMost: number) => {
    const from = host.now()
    while (host.now() - from < atMost) {
      await host.beneath(watch)
      if ((await open()).join() === dids.join()) return host.now() - from
      host.advance(300_000)
    }
    return Infinity
  }

  it("the watch finds a foreign operation on any of 35 accounts within a day, and the alert ends when the owner undoes it through the server", async () => {
    const people: Array<Person> = []
    for (let at = 0; at < 35; at++) people.push(await signUp(host, `person${at}`, "plc"))
    const ordered = people.toSorted((a, b) => (a.did < b.did ? -1 : 1))
    // The last one of the walk.
    const taken = ordered.at(-1)!
    const ours = keyOf("42".repeat(32))
    await operate(plc, taken.did, ours, {
      rotationKeys: [owner.didKey, stranger.didKey, ours.didKey]
    })
    const { handle, did } = taken
    const before = (await readLog(plc, did)).at(-1)!
    // The first walk notes what is there, 30 accounts at a look.
    for (let looks = 0; looks < 6; looks++) {
      await host.beneath(watch)
      host.advance(300_000)
    }
    assert.deepStrictEqual(await open(), [])

    await operate(plc, did, stranger, { alsoKnownAs: ["at://stolen.test"] })
    assert.isAtMost(await watchUntil([did], 24 * hour), 24 * hour)

    // The owner's key is above the stranger's: its operation takes the place of the stranger's.
    const undo = await signedBy(
      owner,
      updateOperation(before, {
        alsoKnownAs: [`at://${handle}`],
        rotationKeys: [owner.didKey, ours.didKey]
      })
    )
    const auth = bearer((await session(host, did, "full")).accessJwt)
    const input = { operation: undo }
    ok(await host.call("com.atproto.identity.submitPlcOperation", { auth, input }))
    const log = await readLog(plc, did)
    assert.lengthOf(log, 3)
    assert.isTrue(cidOfOperation(log[2]!).equals(cidOfOperation(undo)))
    assert.isAtMost(await watchUntil([], 24 * hour), 24 * hour)
  })
})

describe("a rotation of PLC_ROTATION_KEY with the PLC directory's own server", () => {
  /** A directory that keeps the answer to one DID's operation until its client is gone. */
  const holding = async (plc: Plc) => {
    const held = { did: "", reached: () => {} }
    const server = createServer(async (request, response) => {
      const chunks: Array<Buffer> = []
      for await (const chunk of request) chunks.push(chunk)
      const answer = await direct(`${plc.url}${request.url}`, {
        method: request.method ?? "GET",
        headers: { "content-type": "application/json" },
        ...(request.method === "POST" ? { body: Buffer.concat(chunks) } : {})
      })
      const text = await answer.text()
      if (request.method === "POST" && request.url === `/${encodeURIComponent(held.did)}`) {
        return held.reached()
      }
      response.writeHead(answer.status, { "content-type": "application/json" })
      response.end(text)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      /** Resolves when the operation is in the directory. */
      hold: (did: string) =>
        new Promise<void>((resolve) => {
          held.did = did
          held.reached = resolve
        }),
      letGo: () => {
        held.did = ""
      },
      close: () => {
        server.closeAllConnections()
        server.close()
      }
    }
  }

  it("every did:plc gets one operation that keeps the owner's keys first, also if the server is killed in the middle, and handles change afterwards", async () => {
    const plc = await sharedPlc()
    const directory = await holding(plc)
    const { folder, remove } = temporaryFolder("rotated")
    const { program, env: fast } = await bundledCommand()
    const file = join(folder, "nacre.env")
    const desk = makeDesk()
    const port = await freePort()
    const adminPassword = "the administrator of a rotation"
    writeFileSync(file, `ADMIN_PASSWORD=${adminPassword}\n`)
    const vars = () => parseVars(readFileSync(file, "utf8"))
    const start = () =>
      startServer({
        dataDir: folder,
        port,
        home: "box",
        program,
        args: ["serve"],
        env: { ...fast, PLC_URL: directory.url, DEV_ALLOW_HOSTS: new URL(directory.url).host }
      })
    let server = await start()
    try {
      const { publicUrl, url } = server
      const authorization = `Basic ${btoa(`admin:${adminPassword}`)}`
      const people: Array<{ readonly did: string; readonly handle: string }> = []
      for (const name of ["anna", "ben", "cleo"]) {
        const input = { handle: `${name}.test`, password: `the password of ${name}` }
        const agent = new AtpAgent({ service: publicUrl })
        const { data } = await agent.com.atproto.server.createAccount(
          { ...input, email: `${name}@mail.example.com` },
          { headers: { authorization }, encoding: "application/json" }
        )
        people.push({ did: data.did, handle: input.handle })
      }
      const [first, second, third] = people.toSorted((a, b) => (a.did < b.did ? -1 : 1))
      const { PLC_ROTATION_KEY: before = "" } = vars()
      const old = keyOf(before)
      await operate(plc, third!.did, old, {
        rotationKeys: [owner.didKey, old.didKey, stranger.didKey]
      })

      const rotate = () =>
        desk.run(["secret", "rotate", "PLC_ROTATION_KEY", "--data", folder, "--yes", "--json"], {
          NACRE_SERVER: url,
          NACRE_ADMIN_PASSWORD: adminPassword
        })
      // The server doesn't know the new key yet.
      const early = await rotate()
      assert.strictEqual(early.code, 1)
      assert.include(early.stderr, "Restart the server")
      const made = keyOf(vars()["PLC_ROTATION_KEY"] ?? "")
      assert.strictEqual(vars()["PLC_ROTATION_KEY_PREVIOUS"], before)
      assert.notStrictEqual(made.didKey, old.didKey)

      // Killed when the second DID has its operation, and the server doesn't know it.
      await server.stop()
      server = await start()
      const reached = directory.hold(second!.did)
      const cut = rotate()
      const isHeld = await Promise.race([reached.then(() => true), cut.then(() => false)])
      assert.isTrue(isHeld, isHeld ? "" : (await cut).stderr)
      await server.kill()
      directory.letGo()
      assert.strictEqual((await cut).code, 1)
      server = await start()
      const waiting = await rotate()
      assert.strictEqual(waiting.code, 0, waiting.stderr)
      assert.deepInclude(waiting.json, { phase: "wait", failed: 0, left: 0 })
      const keysOf = async ({ did }: { readonly did: string }) =>
        (await dataOfDid(plc, did)).rotationKeys
      assert.deepStrictEqual(await keysOf(first!), [made.didKey])
      assert.deepStrictEqual(await keysOf(second!), [made.didKey])
      assert.deepStrictEqual(await keysOf(third!), [owner.didKey, made.didKey, stranger.didKey])
      const logs = await Promise.all([first!, second!, third!].map(({ did }) => readLog(plc, did)))
      assert.deepStrictEqual(
        logs.map((log) => log.length),
        [2, 2, 3]
      )

      // As if the quarter of an hour had passed for which the old key stays.
      await server.stop()
      const database = new DatabaseSync(join(folder, "directory.sqlite"))
      database.exec("UPDATE key_rotation SET progress = json_set(progress, '$.begunAt', 0)")
      database.close()
      server = await start()
      const done = await rotate()
      assert.strictEqual(done.code, 0, done.stderr)
      assert.deepInclude(done.json, { phase: "done", failed: 0, left: 0 })
      assert.notProperty(vars(), "PLC_ROTATION_KEY_PREVIOUS")
      await server.stop()
      server = await start()
      for (const [at, { did, handle }] of [first!, second!, third!].entries()) {
        const agent = new AtpAgent({ service: publicUrl })
        const password = `the password of ${handle.replace(".test", "")}`
        await agent.login({ identifier: handle, password })
        await agent.updateHandle({ handle: `renamed${at}.test` })
        const last = (await readLog(plc, did)).at(-1)!
        assert.strictEqual(signerOf(last, [made.didKey]), made.didKey)
        const { alsoKnownAs, rotationKeys } = await dataOfDid(plc, did)
        assert.deepStrictEqual(alsoKnownAs, [`at://renamed${at}.test`])
        assert.include(rotationKeys, made.didKey)
      }
    } finally {
      await server.stop()
      directory.close()
      desk.remove()
      remove()
    }
  }, 600_000)
})
