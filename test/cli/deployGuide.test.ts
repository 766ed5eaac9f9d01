import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Toml from "effect/encoding/Toml"
import { copyFileSync, readFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { type Desk, makeDesk } from "./command.ts"
import { type Cloudflare, fakeWrangler } from "./fakeWrangler.ts"

const root = join(import.meta.dirname, "../..")
const guide = (name: string): string => readFileSync(join(root, `docs/operate/${name}.md`), "utf8")
const section = ["deploy", "staging", "mail", "domains-and-handles"].map(guide).join("\n")

const blocks = (language: string): ReadonlyArray<string> =>
  [...section.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(
    ([, text]) => text!
  )

let desk: Desk
let cloudflare: Cloudflare
let server: Server

beforeAll(async () => {
  desk = makeDesk()
  copyFileSync(join(root, "wrangler.toml"), desk.path("wrangler.toml"))
  cloudflare = fakeWrangler(desk)
  // Plays the deployed server.
  server = createServer((_, response) =>
    response.end(JSON.stringify({ ready: true, version: "1.0.0" }))
  )
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
})
afterAll(() => {
  server.close()
  desk.remove()
})

describe("the guide to a deployment", () => {
  it("the guide's commands work as written, for production and then for staging", async () => {
    // SAFETY: it listens on a port.
    const { port } = server.address() as AddressInfo
    const commands = ["deploy", "staging"].flatMap((name) =>
      [...guide(name).matchAll(/^npx nacre .*$/gm)].map(([command]) => command)
    )
    // The first one asks questions, and the last ones move the Worker's secrets to a store.
    const [asks, ...rest] = commands.filter((command) => !command.includes("--secrets-store"))
    assert.strictEqual(asks, "npx nacre init")
    assert.isAbove(rest.length, 5)
    for (const command of rest.slice(1)) {
      assert.match(command, /^npx nacre /)
      const args = command.split(" ").slice(2)
      const at = args[0] === "deploy" ? ["--server", `http://127.0.0.1:${port}`] : []
      const { code, stderr } = await desk.run([...args, ...at], cloudflare.env)
      assert.strictEqual(code, 0, `${command}: ${stderr}`)
    }
    const deployed = cloudflare.calls().filter(({ args }) => args[0] === "deploy")
    assert.deepStrictEqual(
      deployed.map(({ args }) => args.at(-1)),
      ["--env=", "--env=staging"]
    )
  })

  it("the guide's command puts the secrets into a store", async () => {
    const other = makeDesk()
    copyFileSync(join(root, "wrangler.toml"), other.path("wrangler.toml"))
    const theirs = fakeWrangler(other)
    const [command] = section.match(/^npx nacre .*--secrets-store.*$/m) ?? []
    const { code, stderr } = await other.run(command!.split(" ").slice(2), theirs.env)
    assert.strictEqual(code, 0, stderr)
    const toml = readFileSync(other.path("wrangler.toml"), "utf8")
    const shown = blocks("toml").find((block) => block.includes("secrets_store_secrets"))
    assert.include(toml, shown!)
    other.remove()
  })

  it("the guide's blocks for wrangler.toml are valid TOML", () => {
    const shown = blocks("toml")
    assert.isAbove(shown.length, 3)
    for (const block of shown) assert.isTrue(Result.isSuccess(Toml.parse(block)), block)
  })

  it("the guide names existing scripts", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    const named = [...section.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!)
    assert.isAbove(named.length, 1)
    for (const name of named) assert.isString(scripts[name], name)
  })
})
