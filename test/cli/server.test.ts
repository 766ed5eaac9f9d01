import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync, statSync } from "node:fs"
import { AtpAgent } from "@atproto/api"
import type { TestServer } from "../support/server/server.ts"
import { png, post, signIn } from "../support/server/serverPeople.ts"
import { startMemory } from "../support/server/serverMemory.ts"
import { type Desk, makeDesk } from "./command.ts"

let server: TestServer
let desk: Desk
let away: Desk

beforeAll(async () => {
  server = await startMemory()
  desk = makeDesk(server)
  away = makeDesk()
})
afterAll(async () => {
  desk?.remove()
  away?.remove()
  await server?.stop()
})

/** The checked part of a DID's PLC data. */
interface PlcView {
  readonly rotationKeys: ReadonlyArray<string>
  readonly verificationMethods: { readonly atproto: string }
}

const make = async (name: string, ...more: ReadonlyArray<string>) => {
  const made = await desk.run([
    "account",
    "create",
    name,
    "--email",
    `${name}@mail.test`,
    "--generate",
    "--json",
    ...more
  ])
  assert.strictEqual(made.code, 0, made.stderr)
  return made.json as { readonly did: string; readonly handle: string; readonly password: string }
}

describe("nacre", () => {
  it("nacre --help lists the commands on stdout, without colours", async () => {
    const { code, stdout, stderr } = await away.spawn(["--help"])
    assert.strictEqual(code, 0)
    assert.strictEqual(stderr, "")
    for (const name of ["init", "deploy", "status", "account", "invite", "export", "import"]) {
      assert.match(stdout, new RegExp(`^ {2}${name} `, "m"))
    }
    assert.notInclude(stdout, "\u001B")
  })

  it("a command without a server says how to choose one", async () => {
    const { code, stdout, stderr } = await away.run(["status"])
    assert.strictEqual(code, 1)
    assert.strictEqual(stdout, "")
    assert.match(stderr, /No server chosen[\s\S]*--server[\s\S]*NACRE_SERVER/)
  })

  it("a failing command prints the reason as JSON with --json", async () => {
    const { code, json, stderr } = await away.spawn(["account", "list", "--json"], {
      NACRE_SERVER: server.url
    })
    assert.strictEqual(code, 1)
    assert.match(json["message"], /Missing answer: Administrator password/)
    assert.match(json["next"], /NACRE_ADMIN_PASSWORD/)
    assert.match(stderr, /^Error: /)
  })

  it("a rejected password gets advice, and is never printed", async () => {
    const { code, stderr, stdout } = await away.run(["account", "show", "--owner", "you.test"], {
      NACRE_SERVER: server.url,
      NACRE_PASSWORD: "not the password"
    })
    assert.strictEqual(code, 1)
    assert.match(stderr, /rejected the request: [\s\S]*Check the handle and password/)
    assert.notMatch(stderr, /com\.atproto|AuthenticationRequired/)
    assert.notInclude(stdout + stderr, "not the password")
  })

  it("only --verbose prints the protocol's method and error", async () => {
    const { stderr } = await away.run(["account", "show", "--owner", "you.test", "--verbose"], {
      NACRE_SERVER: server.url,
      NACRE_PASSWORD: "not the password"
    })
    assert.match(stderr, /com\.atproto\.server\.createSession, 401 AuthenticationRequired/)
  })

  it("an unreachable server is reported as unreachable", async () => {
    const { code, stderr } = await away.run(["status", "--server", "http://127.0.0.1:9"])
    assert.strictEqual(code, 1)
    assert.match(stderr, /Couldn't reach [\s\S]*--server/)
  })
})

describe("nacre account", () => {
  it("account create creates an account that can sign in with the password shown", async () => {
    const { handle, password, did } = await make("alice", "--recovery-key", "alice.key")
    const agent = new AtpAgent({ service: server.publicUrl })
    await agent.login({ identifier: handle, password })
    assert.strictEqual(agent.did, did)
    const key = JSON.parse(readFileSync(desk.path("alice.key"), "utf8"))
    assert.strictEqual(statSync(desk.path("alice.key")).mode & 0o777, 0o600)
    const data = await (await fetch(`${server.plcUrl}/${did}/data`)).json()
    assert.strictEqual((data as PlcView).rotationKeys[0], key.didKey)
  })

  it("account create works with only an invite code, and invite list shows its use", async () => {
    const { json } = await desk.run(["invite", "create", "--json"])
    const [code] = json["codes"] as unknown as ReadonlyArray<string>
    const made = await away.run(
      ["account", "create", "guest", "--email", "guest@mail.test", "--invite", code!],
      { NACRE_SERVER: server.url, NACRE_NEW_PASSWORD: "a guest's password" }
    )
    assert.strictEqual(made.code, 0, made.stderr)
    assert.notInclude(made.stdout + made.stderr, "a guest's password")
    const { stdout } = await desk.run(["invite", "list"])
    assert.match(stdout, new RegExp(`${code} +1 of 1`))
  })

  it("invite create accepts a note and an end, and invite tree shows who invited whom", async () => {
    const args = ["invite", "create", "--note", "For „Eve“", "--expires", "7d", "--json"]
    const { json } = await desk.run(args)
    assert.deepInclude(json, { note: "For „Eve“", uses: 1 })
    assert.isAbove(Date.parse(json["expiresAt"]), Date.now())
    const [code] = json["codes"]
    const env = { NACRE_SERVER: server.url, NACRE_NEW_PASSWORD: "a guest's password" }
    const flags = ["--email", "eve@mail.test", "--invite", code]
    const made = await away.run(["account", "create", "eve", ...flags, "--json"], env)
    assert.strictEqual(made.code, 0, made.stderr)
    const { did } = made.json
    const hers = await desk.run(["invite", "create", "--for", did, "--json"])
    const more = ["--email", "finn@mail.test", "--invite", hers.json["codes"][0]]
    assert.strictEqual((await away.run(["account", "create", "finn", ...more], env)).code, 0)
    const tree = await desk.run(["invite", "tree"])
    assert.match(tree.stdout, /^eve\.test \(For „Eve“\)\n {2}finn\.test$/m)
    const { accounts } = (await desk.run(["invite", "tree", "--json"])).json
    const finn = accounts.find((one: { handle: string }) => one.handle === "finn.test")
    assert.strictEqual(finn.by, did)
    const list = await desk.run(["invite", "list"])
    assert.match(list.stdout, new RegExp(`${code} +1 of 1 +used up .*For „Eve“`))
    const past = await desk.run(["invite", "create", "--expires", "2001-01-01"])
    assert.match(past.stderr, /2001-01-01 is not in the future/)
  })

  it("an account can be deactivated, activated, renamed, given a new password, and deleted", async () => {
    const { did, handle } = await make("bobby")
    const isActive = async () => {
      const answer = await fetch(`${server.url}/xrpc/com.atproto.sync.getRepoStatus?did=${did}`)
      return ((await answer.json()) as { active?: boolean }).active
    }
    assert.strictEqual((await desk.run(["account", "deactivate", handle])).code, 1)
    assert.strictEqual(await isActive(), true)
    assert.strictEqual((await desk.run(["account", "deactivate", handle, "--yes"])).code, 0)
    assert.strictEqual(await isActive(), false)
    assert.match((await desk.run(["account", "show", handle])).stdout, /Active +no \(deactivated\)/)
    assert.strictEqual((await desk.run(["account", "activate", handle])).code, 0)
    assert.strictEqual(await isActive(), true)

    await desk.run(["account", "handle", "robert.test", "--account", handle])
    const { json } = await desk.run(["account", "password", "robert.test", "--generate", "--json"])
    const shown = await away.run(["account", "show", "robert.test", "--owner", "--json"], {
      NACRE_SERVER: server.url,
      NACRE_PASSWORD: json["password"]
    })
    assert.include(shown.json, { did, handle: "robert.test", validDid: true })

    const unasked = await desk.run(["account", "delete", did])
    assert.strictEqual(unasked.code, 1)
    assert.include(unasked.stderr, `Type ${did} to confirm`)
    const held = await desk.run(["account", "delete", did, "--yes", "--json"])
    assert.deepInclude(held.json, { did, deleted: false })
    const kept = await desk.run(["account", "keep", did, "--json"])
    assert.deepInclude(kept.json, { did, active: true })
    assert.strictEqual((await desk.run(["account", "delete", did, "--now", "--yes"])).code, 0)
    assert.notInclude((await desk.run(["account", "list"])).stdout, did)
  })
})

describe("nacre identity and key", () => {
  it("nacre identity checks both directions, and reports a handle without an account", async () => {
    const well = await desk.run(["identity", "--json"])
    assert.strictEqual(well.code, 0)
    assert.include(well.json, { did: server.account.did, handle: server.account.handle })
    const lost = await desk.run(["identity", "nobody.test"])
    assert.strictEqual(lost.code, 1)
    assert.match(lost.stdout, /FAIL handle points to DID: nobody.test points to no account/)
  })

  it("key rotate gives an account a new signing key, which its DID lists", async () => {
    const { did } = await make("caroline")
    const { json } = await desk.run(["key", "rotate", did, "--yes", "--json"])
    const data = await (await fetch(`${server.plcUrl}/${did}/data`)).json()
    assert.strictEqual((data as PlcView).verificationMethods.atproto, json["signingKey"])
  })

  it("key recovery make never overwrites a key, and show says that the DID doesn't list it yet", async () => {
    const { handle } = await make("dorothy")
    const made = await desk.run(["key", "recovery", "make", "dora.key"])
    assert.strictEqual(made.code, 0)
    const kept = readFileSync(desk.path("dora.key"), "utf8")
    assert.notInclude(made.stdout + made.stderr, JSON.parse(kept).privateKey)
    assert.strictEqual((await desk.run(["key", "recovery", "make", "dora.key"])).code, 1)
    assert.strictEqual(readFileSync(desk.path("dora.key"), "utf8"), kept)
    const shown = await desk.run(["key", "recovery", "show", "dora.key", "--account", handle])
    assert.match(shown.stdout, /not listed/)
  })
})

describe("nacre export and import", () => {
  it("export saves an account, fetches only missing files, and import restores a lost account", async () => {
    const { agent, did } = await signIn(server)
    const { data } = await agent.uploadBlob(png("one"), { encoding: "image/png" })
    const embed = { $type: "app.bsky.embed.images", images: [{ alt: "", image: data.blob }] }
    const { uri } = await agent.post({ ...post("kept"), embed } as never)
    const saved = await desk.run(["export", "backup", "--json"])
    assert.strictEqual(saved.code, 0, saved.stderr)
    assert.include(saved.json, { did, blobs: 1 })
    const blob = desk.path(`backup/blobs/${data.blob.ref.toString()}`)
    assert.deepEqual(new Uint8Array(readFileSync(blob)), new Uint8Array(png("one")))
    const fetchedAt = statSync(blob).mtimeMs
    assert.strictEqual((await desk.run(["export", "backup"])).code, 0)
    assert.strictEqual(statSync(blob).mtimeMs, fetchedAt)

    await agent.deletePost(uri)
    await agent.post(post("written since"))
    const refused = await desk.run(["import", "backup"])
    assert.strictEqual(refused.code, 1)
    assert.match(refused.stderr, /newer than the export[\s\S]*--yes/)
    const restored = await desk.run(["import", "backup", "--yes", "--json"])
    assert.strictEqual(restored.code, 0, restored.stderr)
    assert.include(restored.json, { did, expectedBlobs: 1, importedBlobs: 1 })
    const record = await agent.app.bsky.feed.post.get({ repo: did, rkey: uri.split("/").at(-1)! })
    assert.strictEqual(record.value.text, "kept")
  })

  it("export never overwrites the export of another account", async () => {
    const { handle, password } = await make("edward")
    const other = await desk.run(["export", "backup", "--account", handle], {
      NACRE_PASSWORD: password
    })
    assert.strictEqual(other.code, 1)
    assert.match(other.stderr, /contains an export of another account \(did:/)
  })
})

describe("nacre status", () => {
  it("nacre status reports server, account and identity as JSON", async () => {
    const { code, json } = await desk.run(["status", "--json"])
    assert.strictEqual(code, 0)
    const checks = json["account"].checks as ReadonlyArray<{ name: string; ok: boolean }>
    assert.deepEqual(
      checks.map(({ name, ok }) => `${name}: ${ok}`),
      [
        "repo: true",
        "handle points to DID: true",
        "DID lists handle: true",
        "server: true",
        "signing key: true",
        "blobs: true"
      ]
    )
    assert.deepEqual(json["health"], [
      { name: "d1", ok: true, detail: "ok" },
      { name: "r2", ok: true, detail: "ok" },
      { name: "sequencer", ok: true, detail: "ok" }
    ])
  })
})

describe("nacre audit", () => {
  it("nacre audit shows what an administrator did and why, and verifies the log", async () => {
    const made = await desk.run(["invite", "create", "--reason", "for „Ada“", "--json"])
    assert.strictEqual(made.code, 0, made.stderr)
    const [code] = made.json["codes"] as ReadonlyArray<string>
    const act = "com.atproto.server.createInviteCodes"
    const shown = await desk.run(["audit", "--act", act, "--limit", "1"])
    assert.strictEqual(shown.code, 0, shown.stderr)
    assert.match(shown.stdout, /password +server\.createInviteCodes .*for „Ada“/)
    assert.include(shown.stdout, String(code))
    const exported = await desk.run(["audit", "--json", "--act", act])
    const lines = exported.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    assert.strictEqual(lines.at(-1).reason, "for „Ada“")

    const verified = await desk.run(["audit", "verify", "--json"])
    assert.strictEqual(verified.code, 0, verified.stderr)
    const head = String(verified.json["head"])
    const again = await desk.run(["audit", "verify", "--expect", head])
    assert.strictEqual(again.code, 0, again.stderr)
    const other = await desk.run(["audit", "verify", "--expect", `${head}x`])
    assert.strictEqual(other.code, 1)
    assert.match(other.stderr, /expected entry isn't in the audit log/)
  })
})
