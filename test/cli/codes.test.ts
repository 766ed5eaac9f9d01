import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { readFileSync, writeFileSync } from "node:fs"
import type { TestServer } from "../support/server/server.ts"
import { startMemory } from "../support/server/serverMemory.ts"
import { png, signUp } from "../support/server/serverPeople.ts"
import { type Desk, makeDesk } from "./command.ts"

let server: TestServer
let desk: Desk
let post: Server
const mails: Array<string> = []

beforeAll(async () => {
  post = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk) => (body += chunk))
    request.on("end", () => {
      mails.push(JSON.parse(body).text)
      response.end("{}")
    })
  })
  await new Promise<void>((listens) => post.listen(0, "127.0.0.1", listens))
  // SAFETY: it listens on a port.
  const host = `127.0.0.1:${(post.address() as AddressInfo).port}`
  server = await startMemory({
    MAILER: "http",
    MAIL_HTTP_URL: `http://${host}/`,
    MAIL_HTTP_TOKEN: "a token",
    MAIL_FROM: "nacre@example.com",
    DEV_ALLOW_HOSTS: host
  })
  desk = makeDesk(server)
})
afterAll(async () => {
  desk?.remove()
  await server?.stop()
  post?.close()
})

/** Runs a command that requests a mailed code, then again with the code. */
const withCode = async (args: ReadonlyArray<string>, password: string) => {
  const asked = await desk.run(args, { NACRE_PASSWORD: password })
  assert.strictEqual(asked.code, 1)
  assert.match(asked.stderr, /Run the command again with NACRE_MAILED_CODE/)
  const code = /^ {4}(\S+)$/m.exec(mails.findLast((mail) => /^ {4}\S+$/m.test(mail)) ?? "")?.[1]
  assert.isDefined(code)
  return desk.run(args, { NACRE_PASSWORD: password, NACRE_MAILED_CODE: code ?? "" })
}

describe("nacre announce", () => {
  it("the command counts, sends to the named accounts, and lists the progress", async () => {
    const { handle } = await signUp(server, "annie")
    writeFileSync(desk.path("notice.txt"), "We update the server.\n")
    const run = (...args: ReadonlyArray<string>) =>
      desk.run(["announce", "--subject", "Sunday", "--file", "notice.txt", ...args])
    assert.match((await run("--dry-run")).stdout, /^It would go to \d+ accounts?\.$/m)
    const sent = await run("--to", handle, "--yes", "--json")
    assert.deepInclude(sent.json, { accounts: 1, withoutAddress: 0, delivers: true })
    const { announcements } = (await desk.run(["announce", "list", "--json"])).json
    assert.deepInclude(announcements[0], { subject: "Sunday", to: 1, sent: 0 })
    assert.match((await desk.run(["announce", "list"])).stdout, /Sunday +1 +0 .*sending/)
    const none = ["announce", "--subject", "Sunday", "--file", "missing.txt"]
    assert.match((await desk.run(none)).stderr, /missing\.txt can't be read/)
  })
})

describe("nacre account quota", () => {
  it("the command shows an account's storage, and changes its limit", async () => {
    const { did, handle } = await signUp(server, "quinn")
    const run = (...args: ReadonlyArray<string>) => desk.run(["account", "quota", handle, ...args])
    const shown = await run()
    assert.match(shown.stdout, /^quinn\.test stores .*B of blobs, of at most 50 GB \(the server's/)
    const given = await run("5GB", "--json")
    assert.deepInclude(given.json, { did, handle, quota: 5e9, isOwn: true })
    assert.include((await run()).stdout, "of at most 5 GB (the account's own)")
    assert.include((await run("none")).stdout, "without a limit")
    assert.deepInclude((await run("default", "--json")).json, { quota: 5e10, isOwn: false })
    const wrong = await run("lots")
    assert.strictEqual(wrong.code, 1)
    assert.include(wrong.stderr, "lots is not a size")
  })
})

describe("a mailed code", () => {
  it("key recovery set creates the key file and puts the key before all other keys of a DID", async () => {
    const { did, handle, password } = await signUp(server, "alice")
    const args = ["key", "recovery", "set", "mine.key", "--account", handle, "--yes"]
    const set = await withCode(args, password)
    assert.strictEqual(set.code, 0, set.stderr)
    const { didKey } = JSON.parse(readFileSync(desk.path("mine.key"), "utf8"))
    const data = await (await fetch(`${server.plcUrl}/${did}/data`)).json()
    const { rotationKeys } = data as { readonly rotationKeys: ReadonlyArray<string> }
    assert.strictEqual(rotationKeys[0], didKey)
    assert.strictEqual(rotationKeys.length, 2)
    const shown = await desk.run(["key", "recovery", "show", "mine.key", "--account", handle])
    assert.match(shown.stdout, /first: it can overrule every other key/)
  })

  it("account delete --owner needs no administrator", async () => {
    const { did, handle, password } = await signUp(server, "bobby")
    const deleted = await withCode(["account", "delete", handle, "--owner", "--yes"], password)
    assert.strictEqual(deleted.code, 0, deleted.stderr)
    assert.notInclude((await desk.run(["account", "list"])).stdout, did)
  })
})

describe("nacre moderate", () => {
  const moderate = async (args: ReadonlyArray<string>) => desk.run(["moderate", ...args, "--json"])

  it("moderate shows, takes down and restores an account, a record and a blob, however they are named", async () => {
    const { agent, did, handle } = await signUp(server, "carol")
    const uploaded = await agent.uploadBlob(png("a picture"), { encoding: "image/png" })
    const { uri, cid } = await agent.post({
      text: "hello",
      embed: {
        $type: "app.bsky.embed.images",
        images: [{ alt: "", image: uploaded.data.blob }]
      }
    })
    const rkey = uri.split("/").at(-1)!
    const blob = uploaded.data.blob.ref.toString()
    const link = `https://bsky.app/profile/${handle}`
    for (const [names, subject] of [
      [[["carol"], [handle], [did], [`at://${did}`], [link]], { kind: "account", did }],
      [
        [[uri], [`at://${handle}/app.bsky.feed.post/${rkey}`], [`${link}/post/${rkey}`]],
        { kind: "record", uri, cid }
      ],
      [
        [
          [handle, "--blob", blob],
          [did, "--blob", blob]
        ],
        { kind: "blob", did, cid: blob }
      ]
    ] as const) {
      for (const name of names) {
        const before = await moderate(["show", ...name])
        assert.deepInclude(before.json, { ...subject, takedown: { applied: false } }, before.stderr)
        const down = await moderate(["take-down", ...name, "--reason", "a test"])
        assert.strictEqual(down.code, 0, down.stderr)
        const takedown = { applied: true, ref: "a test" }
        assert.deepInclude(down.json, { ...subject, takedown })
        assert.deepInclude((await moderate(["show", ...name])).json, { ...subject, takedown })
        const log = await desk.run(["audit", "--json"])
        assert.include(log.stdout, '"reason":"a test"')
        const restored = await moderate(["restore", ...name])
        assert.deepInclude(restored.json, { ...subject, takedown: { applied: false } })
      }
    }
    const words = await desk.run(["moderate", "take-down", "carol"])
    assert.strictEqual(words.stdout, `Took down the account ${did}.\n`)
    const shown = await desk.run(["moderate", "show", did])
    assert.match(shown.stdout, /Taken down +yes/)
  })

  it("moderate fails for what isn't here, and for what is no address", async () => {
    for (const [target, says] of [
      ["https://example.com/x", /neither an account, a record nor a blob/],
      ["nobody.test", /Account not found/],
      [`at://${server.account.did}/app.bsky.feed.post/nothing`, /Subject not found/]
    ] as const) {
      const failed = await moderate(["take-down", target])
      assert.strictEqual(failed.code, 1, target)
      assert.match(failed.json["message"], says)
      assert.isString(failed.json["next"], target)
    }
  })
})
