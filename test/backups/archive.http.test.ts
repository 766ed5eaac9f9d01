import { createHash } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { CarVerifier } from "../../src/core/backups/CarVerifier.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { openArchive, recordsPath } from "../../src/services/backups/archive/archive.ts"
import { Accounts } from "../../src/services/accounts/Accounts.ts"
import { BlobStore } from "../../src/services/blobs/BlobStore.ts"
import { unpack } from "../../src/cli/backup/unzip.ts"
import { RepoImport } from "../../src/services/repo/RepoImport.ts"
import { ask, browserOf, formOn, ours } from "../support/http/accountPages.ts"
import { Browser } from "../support/http/httpBrowser.ts"
import { basic, origin } from "../support/http/httpHost.ts"
import {
  ok,
  type Person,
  post,
  png,
  signUp,
  startWorld,
  upload,
  type World
} from "../support/http/httpWorld.ts"
import { carOf, foreignRepo, newKey } from "../repo/import/importCars.ts"
import { filesIn, zipOf } from "../support/zipFiles.ts"

let world: World

beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

/** Requests a file of the account's pages with the browser's cookies. */
const fetchFile = (browser: Browser, path: string, headers: Record<string, string> = {}) =>
  world.handler(
    new Request(`${origin}${path}`, {
      headers: {
        cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; "),
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
        "sec-fetch-site": "same-origin",
        ...headers
      }
    })
  )

const linkIn = (text: string): string =>
  (/href="(\/account\/export\/download[^"]*)"/.exec(text)?.[1] ?? "").replaceAll("&amp;", "&")

const archiveOf = async (who: Person) => {
  const browser = await browserOf(world, who)
  const page = await browser.get("/account/export", ours)
  const answer = await fetchFile(browser, linkIn(page.text))
  assert.strictEqual(answer.status, 200)
  const bytes = new Uint8Array(await answer.arrayBuffer())
  assert.strictEqual(answer.headers.get("content-length"), String(bytes.length))
  return { answer, files: filesIn(bytes) }
}

const signingKey = (did: string) =>
  world.inside(
    did,
    Effect.map(
      Effect.flatMap(AccountStore, (accounts) => accounts.get),
      (account) => account.signingKey.didKey
    )
  )

describe("the archive of an account", () => {
  it("an archive holds the signed repo, readable records, blobs with their types, and matching digests", async () => {
    const who = await signUp(world, `whole${world.next()}`)
    const text = 'A post with "quotes", <b>tags</b> and 🐚'
    for (let n = 0; n < 5; n += 1) {
      ok(
        await world.call("com.atproto.repo.createRecord", {
          auth: who.auth,
          input: { repo: who.did, collection: "app.bsky.feed.post", record: post(`${text} ${n}`) }
        })
      )
    }
    const { answer, files } = await archiveOf(who)
    const read = (name: string): Buffer => files.get(name) ?? Buffer.alloc(0)
    assert.match(
      answer.headers.get("content-disposition") ?? "",
      /^attachment; filename="whole\d+\.test-\d{4}-\d\d-\d\d\.zip"$/
    )
    const manifest = JSON.parse(read("manifest.json").toString())
    assert.deepInclude(manifest, { type: "nacre-export", version: 1, did: who.did, blobs: 1 })
    for (const { name, size, sha256 } of manifest.files) {
      const bytes = read(name)
      assert.strictEqual(bytes.length, size, name)
      assert.strictEqual(createHash("sha256").update(bytes).digest("hex"), sha256, name)
    }
    const verifier = new CarVerifier({ did: who.did, signingKey: await signingKey(who.did) })
    verifier.push(read("repo.car"))
    const repo = verifier.end()
    assert.strictEqual(repo.rev, manifest.rev)
    const lines = read("records/app.bsky.feed.post.jsonl").toString().split("\n")
    const posts = lines.slice(0, -1).map((line) => JSON.parse(line))
    assert.strictEqual(posts.length, 6)
    assert.strictEqual(posts.filter(({ value }) => value.text.startsWith(text)).length, 5)
    assert.deepStrictEqual(
      manifest.collections.map(({ collection, records }: Record<string, unknown>) => [
        collection,
        records
      ]),
      [
        ["app.bsky.actor.profile", 1],
        ["app.bsky.feed.post", 6]
      ]
    )
    assert.strictEqual(repo.records, 7)
    assert.isTrue(files.has(`blobs/${who.avatar}.png`))
    assert.property(JSON.parse(read("preferences.json").toString()), "preferences")
    assert.include(read("README.txt").toString(), who.handle)
  })

  it("a deactivated account downloads its archive on its page", async () => {
    const who = await signUp(world, `resting${world.next()}`)
    const browser = await browserOf(world, who)
    await browser.submit(await formOn(browser, "deactivate", "deactivate"), { date: "" })
    const { text } = await browser.get("/account/export", ours)
    const answer = await fetchFile(browser, linkIn(text))
    assert.strictEqual(answer.status, 200)
    await answer.arrayBuffer()
  })

  it("an archive breaks off, and doesn't end as if it were whole, if the blob store fails", async () => {
    const who = await signUp(world, `broken${world.next()}`)
    const wish = { did: who.did, blobs: 1, part: 1, readme: () => "" }
    const failing = await world.beneath(
      Effect.gen(function* () {
        const store = yield* BlobStore
        const body = () =>
          new ReadableStream<Uint8Array>({
            pull: (controller) => controller.error(new Error("the store broke off"))
          })
        const broken = BlobStore.of({
          ...store,
          get: (key) => Effect.map(store.get(key), (found) => found && { ...found, body: body() })
        })
        return yield* Effect.provideService(openArchive(wish, world.now()), BlobStore, broken)
      })
    )
    const read = await new Response(failing.body).arrayBuffer().then(
      () => "whole",
      () => "broken off"
    )
    assert.strictEqual(read, "broken off")
  })

  it("a blob that the store has lost is named so, and the rest of the archive is whole", async () => {
    const who = await signUp(world, `lost${world.next()}`)
    const { items } = await ask(world, who.did, "backupBlobs", { limit: 10 })
    await world.beneath(
      Effect.flatMap(BlobStore, (store) => store.delete(items.map(({ key }) => key)))
    )
    const { files } = await archiveOf(who)
    const name = `lost-/${who.avatar}.png`
    assert.isTrue(files.get(name)?.every((byte) => byte === 0))
    assert.include(files.get("manifest.json")?.toString(), `"${name}"`)
  })

  it("parts hold every blob once, and only the first holds the records", async () => {
    const who = await signUp(world, `parted${world.next()}`)
    for (let n = 0; n < 4; n += 1) await upload(world, who.auth, png(`${who.did} ${n}`))
    const browser = await browserOf(world, who)
    const first = await fetchFile(browser, "/account/export/download?part=1&blobs=3")
    const one = filesIn(new Uint8Array(await first.arrayBuffer()))
    const { cursor = "" } = await ask(world, who.did, "backupBlobs", { limit: 3 })
    const query = new URLSearchParams({ part: "2", blobs: "2", after: cursor })
    const second = await fetchFile(browser, `/account/export/download?${query}`)
    const two = filesIn(new Uint8Array(await second.arrayBuffer()))
    const blobs = [...one.keys(), ...two.keys()].filter((name) => name.startsWith("blobs/"))
    assert.strictEqual(new Set(blobs).size, 5)
    assert.strictEqual(blobs.length, 5)
    assert.isTrue(one.has("repo.car"))
    assert.isFalse(two.has("repo.car"))
    assert.isTrue(two.has("manifest-2.json"))
  })

  it("an archive of odd old collections has plain file names, and the command accepts it", async () => {
    const who = await signUp(world, `odd${world.next()}`)
    const odd = ["..", "a_b~c:d", "x".repeat(300)]
    const key = await newKey()
    const records = new Map(odd.map((one) => [`${one}/a`, { $type: one, text: "old" }]))
    const car = carOf(await foreignRepo(key, records, { did: who.did }))
    await world.inside(
      who.did,
      Effect.gen(function* () {
        const body = new Response(car).body!
        yield* (yield* BlobStore).put(`${who.did}/car`, body, { limit: car.length })
        yield* (yield* RepoImport).run(`${who.did}/car`, { signingKey: key.did() })
      })
    )
    const { files } = await archiveOf(who)
    const names = [...files.keys()].filter((name) => name.startsWith("records/"))
    assert.strictEqual(names.length, odd.length)
    for (const name of names) assert.match(name, /^records\/[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/)
    for (const name of names) assert.isBelow(name.length, 250)
    const lines = names.map((name) => files.get(name)?.toString() ?? "").join("")
    for (const collection of odd) assert.include(lines, `"at://${who.did}/${collection}/a"`)
    const folder = mkdtempSync(join(tmpdir(), "nacre-odd-"))
    writeFileSync(join(folder, "a.zip"), zipOf(Object.fromEntries(files)))
    await Effect.runPromise(
      Effect.provide(Effect.scoped(unpack(join(folder, "a.zip"))), NodeServices.layer)
    )
    rmSync(folder, { recursive: true })
  })

  it("an archive isn't for strangers, other accounts, links of other sites or an old proof", async () => {
    const who = await signUp(world, `closed${world.next()}`)
    const other = await browserOf(world, await signUp(world, `nosy${world.next()}`))
    const path = "/account/export/download?part=1&blobs=1"
    const stranger = new Browser(world)
    await stranger.get("/account/sign-in")
    const named = `${path}&${new URLSearchParams({ account: who.did })}`
    for (const [browser, at] of [
      [stranger, path],
      [other, named]
    ] as const) {
      const answer = await fetchFile(browser, at)
      assert.match(answer.headers.get("location") ?? "", /^\/account\/sign-in/)
    }
    const browser = await browserOf(world, who)
    const linked = await fetchFile(browser, path, { "sec-fetch-site": "cross-site" })
    assert.strictEqual(linked.headers.get("location"), "/account/export")
    const image = await fetchFile(browser, path, {
      "sec-fetch-mode": "no-cors",
      "sec-fetch-dest": "image"
    })
    assert.strictEqual(image.status, 403)
    for (const query of ["", "?part=0&blobs=1", "?part=1&blobs=901", "?part=1&blobs=1&after=1:'"]) {
      assert.strictEqual((await fetchFile(browser, `/account/export/download${query}`)).status, 404)
    }
    world.advance(16 * 60_000)
    const late = await fetchFile(browser, path)
    assert.match(late.headers.get("location") ?? "", /^\/account\/confirm/)
  })

  it("the stream of an account's records is only for the server itself", async () => {
    const who = await signUp(world, `direct${world.next()}`)
    const send = (headers: Record<string, string>) =>
      world.beneath(
        Effect.flatMap(Accounts, (accounts) =>
          accounts.forward(who.did, new Request(`${origin}${recordsPath}`, { headers }))
        )
      )
    assert.strictEqual((await send({})).status, 401)
    assert.strictEqual((await send({ authorization: who.auth })).status, 401)
    const own = await send({ authorization: basic() })
    assert.strictEqual(own.status, 200)
    await own.body?.cancel()
    assert.strictEqual((await world.ask(recordsPath, { auth: basic() })).status, 404)
  })
})
