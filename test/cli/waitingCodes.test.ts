import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { TestServer } from "../support/server/server.ts"
import { startMemory } from "../support/server/serverMemory.ts"
import { signUp } from "../support/server/serverPeople.ts"
import { type Desk, makeDesk } from "./command.ts"

let server: TestServer
let other: TestServer
/** A desk with the administrator's password, and one without it. */
let desk: Desk
let away: Desk

beforeAll(async () => {
  server = await startMemory()
  other = await startMemory({
    PLC_URL: server.plcUrl,
    DEV_ALLOW_HOSTS: new URL(server.plcUrl).host,
    HANDLE_DOMAINS: "other.test"
  })
  desk = makeDesk(server)
  away = makeDesk()
})
afterAll(async () => {
  desk?.remove()
  away?.remove()
  await Promise.all([server?.stop(), other?.stop()])
})

const codePattern = /[A-Z2-7]{5}-[A-Z2-7]{5}/

describe("a code that isn't mailed", () => {
  it("account codes shows a code to the administrator, and with --owner to its owner, in words and as JSON", async () => {
    const { agent, did, handle, password } = await signUp(server, "carla")
    const none = await desk.run(["account", "codes", handle])
    assert.strictEqual(none.stdout, `${handle} has no codes right now.\n`)
    await agent.com.atproto.server.requestAccountDelete()
    const { json, stderr } = await desk.run(["account", "codes", handle, "--json"])
    assert.deepInclude(json, { did })
    const [{ purpose, code, expiresAt }] = json["codes"]
    assert.strictEqual(purpose, "delete_account")
    assert.match(code, codePattern)
    assert.isAbove(Date.parse(expiresAt), Date.now())
    assert.notInclude(stderr, code)
    const { stdout } = await desk.run(["account", "codes", handle])
    assert.match(stdout, new RegExp(`delete the account +${code} +${expiresAt}`))

    const env = { NACRE_SERVER: server.url, NACRE_PASSWORD: password }
    const unsaid = await away.run(["account", "codes", handle], env)
    assert.strictEqual(unsaid.code, 1)
    assert.match(unsaid.stderr, /Administrator password/)
    assert.notMatch(unsaid.stdout + unsaid.stderr, codePattern)
    const asOwner = await away.run(["account", "codes", handle, "--owner"], env)
    assert.include(asOwner.stdout, code)
    const wrong = await away.run(["account", "codes", handle, "--owner"], {
      ...env,
      NACRE_PASSWORD: "not the password"
    })
    assert.strictEqual(wrong.code, 1)
    assert.notMatch(wrong.stdout + wrong.stderr, codePattern)
  })

  it("a command finds the code itself if it knows the administrator's password", async () => {
    const { did, handle, password } = await signUp(server, "doris")
    const env = { NACRE_PASSWORD: password }
    const args = ["key", "recovery", "set", "doris.key", "--account", handle, "--yes"]
    const set = await desk.run(args, env)
    assert.strictEqual(set.code, 0, set.stderr)
    assert.match(set.stderr, /doesn't send email, so it showed the code to its administrator/)
    assert.notMatch(set.stdout + set.stderr, codePattern)
    const deleted = await desk.run(["account", "delete", handle, "--owner", "--yes"], env)
    assert.strictEqual(deleted.code, 0, deleted.stderr)
    assert.notInclude((await desk.run(["account", "list"])).stdout, did)
  })

  it("a command finds the code for a signed-in owner without that password", async () => {
    const { handle, password } = await signUp(server, "emmy")
    const args = ["account", "delete", handle, "--owner", "--yes"]
    const deleted = await away.run(args, {
      NACRE_SERVER: server.publicUrl,
      NACRE_PASSWORD: password
    })
    assert.strictEqual(deleted.code, 0, deleted.stderr)
    assert.match(deleted.stderr, /doesn't send email, so it showed the code to its owner/)
    assert.notMatch(deleted.stdout + deleted.stderr, codePattern)
  })

  it("a move sends the administrator's password only to the command's own server", async () => {
    const { handle, password } = await signUp(server, "fanny")
    const move = ["migrate", "--from", server.publicUrl, "--server", other.publicUrl]
    const env = {
      PLC_URL: server.plcUrl,
      NACRE_PASSWORD: password,
      NACRE_NEW_PASSWORD: "another password",
      // It is right at the old server too, which must not learn it.
      NACRE_ADMIN_PASSWORD: server.account.adminPassword
    }
    const { json } = await away.run(["invite", "create", "--server", other.publicUrl, "--json"], {
      NACRE_ADMIN_PASSWORD: other.account.adminPassword
    })
    const args = [...move, "--account", handle, "--invite", json["codes"][0]]
    const moved = await away.run(args, env)
    assert.strictEqual(moved.code, 0, moved.stderr)
    // With the password, the server would have shown the code.
    assert.match(moved.stderr, /doesn't send email, so it showed the code to its owner/)
  })
})
