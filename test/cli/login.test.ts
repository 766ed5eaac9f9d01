import { afterAll, afterEach, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { turnAuthenticatorOn } from "../support/server/serverAuthenticator.ts"
import { startMemory } from "../support/server/serverMemory.ts"
import type { TestServer } from "../support/server/server.ts"
import { type Desk, makeDesk } from "./command.ts"
import { type Answer, runTyping } from "./typing.ts"

let server: TestServer
let desk: Desk

beforeAll(async () => {
  server = await startMemory()
})
afterAll(() => server?.stop())
beforeEach(() => {
  desk = makeDesk()
})
afterEach(() => desk.remove())

const profileFile = () => desk.path(`settings/profiles/${server.account.handle}.json`)

const profile = () => JSON.parse(readFileSync(profileFile(), "utf8"))

/** Runs the command in this process, with an empty settings folder. */
const run = (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  answers?: ReadonlyArray<Answer>
) =>
  runTyping(args, {
    env: { NACRE_CONFIG_DIR: desk.path("settings"), DATA_DIR: desk.path(".data"), ...env },
    ...(answers === undefined ? {} : { answers })
  })

const signIn = () =>
  run(["login", server.account.handle, "--server", server.publicUrl, "--json"], {
    NACRE_PASSWORD: server.account.password
  })

const call = (method: "GET" | "POST", nsid: string, token: string) =>
  fetch(`${server.publicUrl}/xrpc/${nsid}`, {
    method,
    headers: { authorization: `Bearer ${token}` }
  })

/** An expired access token; its signature isn't checked before it is renewed. */
const expired = `e30.${Buffer.from(JSON.stringify({ exp: 1 })).toString("base64url")}.x`

describe("nacre login", () => {
  it("login keeps the server and a session, and later commands ask for neither", async () => {
    const { isContent, json, stderr, stdout } = await signIn()
    assert.isTrue(isContent, stderr)
    assert.deepStrictEqual(json, {
      profile: server.account.handle,
      server: server.publicUrl,
      did: server.account.did,
      handle: server.account.handle
    })
    const { accessJwt, refreshJwt } = profile()
    for (const secret of [accessJwt, refreshJwt, server.account.password]) {
      assert.notInclude(stdout + stderr, secret)
    }
    assert.notInclude(readFileSync(profileFile(), "utf8"), server.account.password)
    const commands = [
      ["account", "show", "--owner"],
      ["passkey", "list"],
      ["account", "codes", "--owner"],
      ["export", desk.path("saved")],
      ["import", desk.path("saved"), "--yes"],
      ["account", "show", server.account.did, "--owner"]
    ]
    for (const words of commands) {
      const ran = await run(words)
      assert.isTrue(ran.isContent, `${words.join(" ")}: ${ran.stderr}`)
    }
    // The session continues after each of them.
    assert.strictEqual(profile().refreshJwt, refreshJwt)
    const alive = await call("GET", "com.atproto.server.getSession", accessJwt)
    assert.strictEqual(alive.status, 200)
  })

  it("login writes files and folders that only their owner can read", async () => {
    await signIn()
    assert.strictEqual(statSync(profileFile()).mode & 0o777, 0o600)
    assert.strictEqual(statSync(desk.path("settings/current")).mode & 0o777, 0o600)
    assert.strictEqual(statSync(desk.path("settings/profiles")).mode & 0o777, 0o700)
    assert.deepStrictEqual(readdirSync(desk.path("settings/profiles")), [
      `${server.account.handle}.json`
    ])
  })

  it("a command renews an expired session and keeps the new one, also when six do so at once", async () => {
    await signIn()
    const before = profile()
    writeFileSync(profileFile(), JSON.stringify({ ...before, accessJwt: expired }))
    const ran = await Promise.all(
      Array.from({ length: 6 }, () => run(["account", "show", "--owner"]))
    )
    for (const { isContent, stderr } of ran) assert.isTrue(isContent, stderr)
    const after = profile()
    assert.notStrictEqual(after.refreshJwt, before.refreshJwt)
    const alive = await call("GET", "com.atproto.server.getSession", after.accessJwt)
    assert.strictEqual(alive.status, 200)
  })

  it("a command asks for the password again when the session was ended elsewhere, and keeps the new session", async () => {
    await signIn()
    const ended = profile()
    await call("POST", "com.atproto.server.deleteSession", ended.refreshJwt)
    const silent = await run(["account", "show", "--owner"])
    assert.isFalse(silent.isContent)
    assert.match(silent.stderr, /session as .* has ended[\s\S]*NACRE_PASSWORD/)
    const answers = [
      [/Password of/, "not the password"],
      [/Wrong handle or password[\s\S]*Password of/, server.account.password]
    ] as const
    const asked = await run(["account", "show", "--owner"], {}, answers)
    assert.isTrue(asked.isContent, asked.stderr)
    assert.deepStrictEqual(asked.unasked, [])
    assert.notStrictEqual(profile().refreshJwt, ended.refreshJwt)
    assert.isTrue((await run(["account", "show", "--owner"])).isContent)
  })

  it("a command that needs a recent sign-in asks for the password when the session is older", async () => {
    await signIn()
    writeFileSync(profileFile(), JSON.stringify({ ...profile(), signedInAt: 0 }))
    const listed = await run(["passkey", "list", "--owner"])
    assert.isFalse(listed.isContent)
    assert.match(listed.stderr, /last 15 minutes/)
    assert.isTrue((await run(["account", "show", "--owner"])).isContent)
  })

  it("login --admin keeps the administrator's password once the server has accepted it", async () => {
    const words = ["login", "--admin", "--server", server.publicUrl, "--profile", "home"]
    const refused = await run(words, { NACRE_ADMIN_PASSWORD: "another long password" })
    assert.isFalse(refused.isContent)
    const { isContent, stderr } = await run(words, {
      NACRE_ADMIN_PASSWORD: server.account.adminPassword
    })
    assert.isTrue(isContent, stderr)
    const listed = await run(["account", "list", "--json"])
    assert.isTrue(listed.isContent, listed.stderr)
    assert.strictEqual(listed.json.accounts[0].did, server.account.did)
  })

  it("login --operator lets commands for the administrator act as that account", async () => {
    const other = await startMemory()
    const [code = ""] = await turnAuthenticatorOn(other, other.account)
    const at = ["--server", other.publicUrl]
    const admin = { NACRE_ADMIN_PASSWORD: other.account.adminPassword }
    const named = await run(
      ["operator", "add", other.account.handle, "--role", "admin", ...at],
      admin
    )
    assert.isTrue(named.isContent, named.stderr)
    const opened = await run(["login", other.account.handle, "--operator", ...at], {
      NACRE_PASSWORD: other.account.password,
      NACRE_CODE: code
    })
    assert.isTrue(opened.isContent, opened.stderr)
    const listed = await run(["account", "list", "--json"])
    assert.isTrue(listed.isContent, listed.stderr)
    assert.strictEqual(listed.json.accounts[0].did, other.account.did)
    const log = await run(["audit", "--json"])
    assert.include(log.stdout, other.account.did)
    await other.stop()
  })

  it("a password of the environment comes before the stored session, and a stored token goes to its own server alone", async () => {
    await signIn()
    const wrong = await run(["account", "show", "--owner"], {
      NACRE_PASSWORD: "wrong password"
    })
    assert.isFalse(wrong.isContent)
    const away = await run(["account", "show", "--owner", "--server", "http://127.0.0.1:1"])
    assert.isFalse(away.isContent)
    assert.match(away.stderr, /No account chosen/)
  })
})

describe("the copy of a deployed server's secrets", () => {
  it("a command signs in as administrator with the copied password only at the copy's own server", async () => {
    const copy = (url: string) =>
      writeFileSync(
        desk.path(".secrets.production"),
        `PUBLIC_URL=${url}\nADMIN_PASSWORD=${server.account.adminPassword}\n`
      )
    const list = () =>
      runTyping(["account", "list", "--server", server.publicUrl], {
        env: { NACRE_CONFIG_DIR: desk.path("settings"), DATA_DIR: desk.path(".data") },
        folder: desk.folder
      })
    copy("https://pds.example.com")
    const other = await list()
    assert.isFalse(other.isContent)
    assert.match(other.stderr, /Missing answer: Administrator password/)
    copy(server.publicUrl)
    const own = await list()
    assert.isTrue(own.isContent, own.stderr)
    assert.include(own.stdout, server.account.did)
  })
})

describe("nacre profiles", () => {
  it("profiles lists who is signed in, use chooses, and --profile chooses once", async () => {
    await signIn()
    const second = ["login", server.account.handle, "--server", server.publicUrl]
    const env = { NACRE_PASSWORD: server.account.password }
    assert.isTrue((await run([...second, "--profile", "work"], env)).isContent)
    const inUse = async () =>
      (await run(["profiles", "--json"])).json.profiles.map(
        ({ name, inUse }: { name: string; inUse: boolean }) => [name, inUse]
      )
    assert.deepStrictEqual(await inUse(), [
      ["work", true],
      [server.account.handle, false]
    ])
    assert.isTrue((await run(["profiles", "use", server.account.handle])).isContent)
    assert.deepStrictEqual(await inUse(), [
      ["work", false],
      [server.account.handle, true]
    ])
    const chosen = await run(["account", "show", "--owner", "--profile", "work"])
    assert.isTrue(chosen.isContent, chosen.stderr)
    const unknown = await run(["status", "--profile", "nowhere"])
    assert.isFalse(unknown.isContent)
    assert.match(unknown.stderr, /no profile nowhere[\s\S]*login --profile nowhere/)
  })

  it("a server of this folder comes before the profile in use, and login says so", async () => {
    desk.remove()
    desk = makeDesk(server)
    const other = await startMemory()
    const { isContent, stderr } = await run(
      ["login", other.account.handle, "--server", other.publicUrl],
      { NACRE_PASSWORD: other.account.password }
    )
    assert.isTrue(isContent, stderr)
    assert.match(stderr, /This folder has a local server[\s\S]*--profile/)
    const shown = await run(["account", "show", "--json"])
    assert.strictEqual(shown.json.did, server.account.did)
    const named = await run([
      "account",
      "show",
      "--owner",
      "--json",
      "--profile",
      other.account.handle
    ])
    assert.strictEqual(named.json.did, other.account.did)
    await other.stop()
  })

  it("logout ends the session at the server and forgets the profile", async () => {
    await signIn()
    const { accessJwt } = profile()
    const { isContent, json } = await run(["logout", "--json"])
    assert.isTrue(isContent)
    assert.deepStrictEqual(json, { signedOut: [server.account.handle] })
    assert.notStrictEqual(
      (await call("GET", "com.atproto.server.getSession", accessJwt)).status,
      200
    )
    assert.deepStrictEqual(readdirSync(desk.path("settings/profiles")), [])
    const again = await run(["logout"])
    assert.isFalse(again.isContent)
    assert.match(again.stderr, /aren't signed in/)
  })
})
