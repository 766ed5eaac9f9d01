import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { FolderInUse } from "../../../src/layers/Box.ts"
import { fileOf } from "../../../src/layers/objects/AccountsFiles.ts"
import { Accounts } from "../../../src/services/accounts/Accounts.ts"
import { basic, bearer, startHost } from "../../support/http/httpHost.ts"
import { type RunningBox, origin, signUp, startBox } from "./boxWorld.ts"

let folder: string
let running: Array<RunningBox>

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nacre-box-"))
  running = []
})
afterEach(async () => {
  await Promise.all(running.map((box) => box.stop()))
  rmSync(folder, { recursive: true, force: true })
})

const start: typeof startBox = async (...given) => {
  const box = await startBox(...given)
  running.push(box)
  return box
}

const stop = (box: RunningBox) => {
  running = running.filter((one) => one !== box)
  return box.stop()
}

/** Waits for a condition; the test's own time limit ends it. */
const until = async (isTrue: () => boolean | Promise<boolean>) => {
  while (!(await isTrue())) await new Promise((resume) => setTimeout(resume, 10))
}

const post = (box: RunningBox, { did, auth }: { did: string; auth: string }, text: string) =>
  box.call("com.atproto.repo.createRecord", {
    auth,
    input: {
      repo: did,
      collection: "app.bsky.feed.post",
      record: { $type: "app.bsky.feed.post", text, createdAt: "2026-01-01T00:00:00.000Z" }
    }
  })

const filesIn = (path: string): ReadonlyArray<string> =>
  existsSync(path)
    ? readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
    : []

const accountFiles = () => filesIn(join(folder, "accounts"))

describe("a server on one machine", () => {
  it("accounts, records, sessions and the stream are there after a restart", async () => {
    const first = await start(folder)
    const alice = await signUp(first, "alice")
    const { uri } = await post(first, alice, "kept")
    const before = first.frames()
    await until(() => before.length >= 3)
    await stop(first)
    const second = await start(folder)
    const [, , , collection, rkey] = uri.split("/")
    const read = await second.call(
      `com.atproto.repo.getRecord?repo=${alice.did}&collection=${collection}&rkey=${rkey}`
    )
    assert.strictEqual(read.value.text, "kept")
    await post(second, alice, "with the old session")
    const after = second.frames()
    await until(() => after.length > before.length)
    assert.deepStrictEqual(after.slice(0, before.length), before)
  })

  it("an orderly stop leaves no journal and no shared memory file", async () => {
    const box = await start(folder)
    await post(box, await signUp(box, "alice"), "a post")
    await stop(box)
    const left = filesIn(folder).filter((name) => /-(wal|shm)$/.test(name))
    assert.deepStrictEqual(left, [])
  })

  it("a server starts on the journal of an account although its directory has no tables yet", async () => {
    const file = fileOf(join(folder, "accounts"), "did:web:alice.test")
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(`${file}-wal`, "")
    const box = await start(folder)
    await signUp(box, "alice")
  })

  it("an account that another account wakes works with its own data", async () => {
    const host = await startHost({ INVITE_REQUIRED: "off" }, { kept: folder })
    try {
      const join = async (name: string) => {
        const did = `did:web:${name}.test`
        const account = { handle: `${name}.test`, email: `${name}@example.com`, did }
        const { body } = await host.call("com.atproto.server.createAccount", {
          auth: basic(),
          input: { ...account, password: "a long password" }
        })
        return { did, auth: bearer(body["accessJwt"]) }
      }
      const alice = await join("alice")
      const bob = await join("bob")
      // Only two accounts are open at once: now bob sleeps, and alice wakes him.
      await join("carol")
      await host.call("com.atproto.server.getSession", { auth: alice.auth })
      await host.inside(
        alice.did,
        Effect.flatMap(Accounts, (accounts) =>
          accounts.call(bob.did, "rememberConsent", { clientId: "an app", scope: "atproto" })
        )
      )
      const { body } = await host.call("com.atproto.server.getSession", { auth: bob.auth })
      assert.strictEqual(body["did"], bob.did, JSON.stringify(body))
      const consentOf = (did: string) =>
        host.beneath(
          Effect.flatMap(Accounts, (accounts) =>
            accounts.call(did, "consented", { clientId: "an app" })
          )
        )
      assert.deepStrictEqual(await consentOf(bob.did), { scope: "atproto" })
      assert.deepStrictEqual(await consentOf(alice.did), {})
    } finally {
      await host.close()
    }
  })

  it("a second server in the same folder is refused, and names the first one's process", async () => {
    await start(folder)
    const refused = async () => {
      const failure = await startBox(folder).then(
        () => undefined,
        (cause: unknown) => cause
      )
      assert.instanceOf(failure, FolderInUse)
      return (failure as FolderInUse).message
    }
    assert.include(await refused(), String(process.pid))
    // The first one has the databases, but hasn't written its number yet.
    rmSync(join(folder, "nacre.pid"))
    assert.strictEqual(await refused(), "Another server uses this folder. Stop it first.")
  })

  it("requests about unknown DIDs make no file", async () => {
    const box = await start(folder)
    await signUp(box, "alice")
    const known = accountFiles()
    for (const did of ["did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "did:web:nobody.test"]) {
      for (const nsid of [
        "com.atproto.repo.describeRepo?repo",
        "com.atproto.sync.getLatestCommit?did",
        "com.atproto.sync.getRepo?did",
        "com.atproto.sync.getRepoStatus?did",
        "com.atproto.sync.listBlobs?did"
      ]) {
        const response = await box.handler(new Request(`${origin}/xrpc/${nsid}=${did}`))
        assert.isAtLeast(response.status, 400)
        await response.text()
      }
    }
    assert.deepStrictEqual(accountFiles(), known)
  })

  it("/tls-check answers 200 for the server's name and its accounts' handles alone", async () => {
    const box = await start(folder)
    await signUp(box, "alice")
    const statusOf = async (domain: string) => {
      const url = `${origin}/tls-check?domain=${encodeURIComponent(domain)}`
      const response = await box.handler(new Request(url))
      await response.text()
      return response.status
    }
    assert.strictEqual(await statusOf("localhost:8787"), 200)
    assert.strictEqual(await statusOf("Alice.test"), 200)
    for (const domain of ["bob.test", "example.com", "", "alice.test/x", "a".repeat(5000)]) {
      assert.strictEqual(await statusOf(domain), 404)
    }
  })

  it("a deleted account leaves no file", async () => {
    const box = await start(folder)
    const alice = await signUp(box, "alice")
    await post(box, alice, "soon gone")
    assert.isAbove(accountFiles().length, 0)
    await box.call("com.atproto.admin.deleteAccount", {
      auth: `Basic ${btoa("admin:the administrator's own words")}`,
      input: { did: alice.did }
    })
    await until(() => accountFiles().length === 0)
  })

  it("the database used longest ago is closed, and an export keeps its own open", async () => {
    const box = await start(folder, { mostOpen: 1 })
    const alice = await signUp(box, "alice")
    // More than a stream reads ahead.
    for (let n = 0; n < 4; n++) {
      const value = { $type: "com.example.note", text: "long ".repeat(600) }
      const write = { $type: "com.atproto.repo.applyWrites#create", collection: value.$type, value }
      await box.call("com.atproto.repo.applyWrites", {
        auth: alice.auth,
        input: { repo: alice.did, writes: Array.from({ length: 40 }, () => write) }
      })
    }
    const isOpen = ({ did }: { did: string }) =>
      existsSync(`${fileOf(join(folder, "accounts"), did)}-wal`)
    const url = `${origin}/xrpc/com.atproto.sync.getRepo?did=${alice.did}`
    const whole = await (await box.handler(new Request(url))).arrayBuffer()
    const reader = (await box.handler(new Request(url))).body!.getReader()
    let length = (await reader.read()).value!.byteLength
    const bob = await signUp(box, "bob")
    await post(box, bob, "opens another database")
    assert.isTrue(isOpen(alice), "the export needs its account")
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      length += next.value.byteLength
    }
    assert.strictEqual(length, whole.byteLength)
    // Only now is there something to close for it.
    await post(box, bob, "opens it once more")
    await until(() => !isOpen(alice))
    await post(box, alice, "opens it again")
  })

  it("an alarm that was set before the stop rings after the start", async () => {
    let shift = 0
    const now = () => Date.now() + shift
    const first = await start(folder, { now })
    const alice = await signUp(first, "alice")
    const blob = await first.handler(
      new Request(`${origin}/xrpc/com.atproto.repo.uploadBlob`, {
        method: "POST",
        headers: { authorization: alice.auth, "content-type": "text/plain" },
        body: "never used in a record"
      })
    )
    assert.strictEqual(blob.status, 200)
    await blob.text()
    const blobs = () => filesIn(join(folder, "blobs")).length
    assert.strictEqual(blobs(), 1)
    await stop(first)
    shift = 3 * 24 * 3_600_000
    await start(folder, { now })
    await until(() => blobs() === 0)
  })
})
