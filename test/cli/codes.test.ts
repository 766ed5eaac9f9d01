import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { readFileSync } from "node:fs"
import type { TestServer } from "../support/server/server.ts"
import { startMemory } from "../support/server/serverMemory.ts"
import { signUp } from "../support/server/serverPeople.ts"
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
