import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { vi } from "vitest"
import { updatePlc } from "../../../src/services/identity/PlcOperations.ts"
import { enter, ours } from "../../support/http/accountPages.ts"
import { codeFor } from "../../support/http/httpCodes.ts"
import { Browser } from "../../support/http/httpBrowser.ts"
import { signUp } from "../../support/http/httpWorld.ts"
import {
  copied,
  type MoveInWorld,
  newPassword,
  password,
  startMoveIn,
  statusOf
} from "./moveInWorld.ts"

let world: MoveInWorld

/** Everything that the host has logged. */
const lines: Array<string> = []
const write = (...texts: Array<unknown>) => void lines.push(texts.map(String).join(" "))
const folder = mkdtempSync(join(tmpdir(), "nacre-move-in-"))
let spies: ReadonlyArray<{ mockRestore(): void }> = []

beforeAll(async () => {
  spies = (["log", "info", "warn", "error", "debug", "trace"] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation(write)
  )
  world = await startMoveIn({ LOG_LEVEL: "trace" }, { kept: folder })
})
afterEach(() => {
  world.attacks.clear()
  world.called.length = 0
})
afterAll(async () => {
  for (const spy of spies) spy.mockRestore()
  await world?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A body without an end. */
const endless = () => {
  const spaces = new Uint8Array(64 * 1024).fill(32)
  return new Response(
    new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(spaces) })
  )
}

describe("moving in among enemies", () => {
  it("neither the old password nor the old server’s tokens are in a file or a log line", async () => {
    const who = await world.mover()
    const secrets = [password, newPassword]
    for (const nsid of ["createSession", "getServiceAuth"]) {
      const method = `com.atproto.server.${nsid}`
      world.attacks.set(method, async (request) => {
        const answer = await world.old.handler(request)
        const { accessJwt, refreshJwt, token } = (await answer.clone().json()) as Record<
          string,
          string
        >
        secrets.push(...[accessJwt, refreshJwt, token].filter((one) => one !== undefined))
        return answer
      })
    }
    const browser = new Browser(world.host)
    const refused = await world.beginBy(browser, who, { invite: "none" })
    assert.strictEqual(refused.status, 400)
    let page = await copied(browser, await world.beginBy(browser, who))
    page = await browser.submit(page.form("/moving/send-code"))
    const code = await codeFor(world.old, who.did, "plc_operation")
    page = await browser.submit(page.form("/moving/confirm"), { code })
    assert.include(page.text, "Your account lives here now")
    assert.isAtLeast(secrets.length, 7)
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) =>
      file.isFile()
    )
    const stored = files.map((file) => readFileSync(join(file.parentPath, file.name), "latin1"))
    assert.isTrue(stored.some((text) => text.includes(who.did)))
    const log = lines.join("\n")
    assert.include(log, '"message":"request"')
    for (const secret of [...secrets, code]) {
      assert.notInclude(log, secret)
      assert.notInclude(page.text, secret)
      assert.isFalse(stored.some((text) => text.includes(secret)))
    }
  })

  it("a form that begins a move is rejected from another site, without its cookie, or with the token of another browser", async () => {
    const who = await world.mover()
    const invite = await world.invite()
    const browser = new Browser(world.host)
    const { fields } = (await browser.get(`/account/move-in?invite=${invite}`)).form("/move-in")
    const other = (await new Browser(world.host).get("/account/move-in")).form("/move-in").fields
    const filled = {
      identifier: who.handle,
      old: password,
      handle: who.name,
      email: who.email,
      password: newPassword
    }
    for (const action of ["/account/move-in", "/account/move-in/oauth"]) {
      const form = { action, fields }
      const answers = [
        await browser.post(form, filled, { origin: "https://evil.example.com" }),
        await browser.post(form, filled, { "sec-fetch-site": "cross-site" }),
        await browser.post(form, { ...filled, csrf: undefined }),
        await browser.post(form, { ...filled, csrf: other["csrf"] }),
        await new Browser(world.host).post(form, filled)
      ]
      for (const { status } of answers) assert.strictEqual(status, 403, action)
      const query = new URLSearchParams({ ...fields, ...filled })
      await browser.get(`${action}?${query}`)
    }
    assert.deepStrictEqual(world.called, [])
    assert.isUndefined(await statusOf(world.host, who.did))
  })

  it("an invite admits one account, which can’t reach another account’s move", async () => {
    const [who, other] = [await world.mover(), await world.mover()]
    const invite = await world.invite()
    const browser = new Browser(world.host)
    const page = await copied(browser, await world.beginBy(browser, who, { invite }))
    const second = await world.beginBy(new Browser(world.host), other, { invite })
    assert.strictEqual(second.status, 400)
    assert.include(second.text, "invite code is invalid or has already been used")
    assert.isUndefined(await statusOf(world.host, other.did))

    const member = await signUp(world.host, "member")
    const theirs = new Browser(world.host)
    await enter(theirs, member)
    const { csrf = "" } = (await theirs.get("/account", ours)).form("/sign-out").fields
    const code = await codeFor(world.old, who.did, "plc_operation")
    world.called.length = 0
    for (const step of ["step", "retry", "send-code", "confirm", "sign-in", "oauth"]) {
      const fields = { csrf, account: who.did, code, old: password }
      const answer = await theirs.post({ action: `/account/moving/${step}`, fields })
      assert.include(answer.location, "/account/sign-in", step)
    }
    assert.deepStrictEqual(world.called, [])
    assert.isFalse(await statusOf(world.host, who.did))
    assert.include((await world.confirm(browser, who, page)).text, "Your account lives here now")
  })

  it("an identity that names a private or unusable address is never requested", async () => {
    const who = await world.mover()
    const browser = new Browser(world.host)
    for (const endpoint of [
      "http://10.0.0.1",
      "http://localhost:22",
      "https://[::1]",
      "https://169.254.169.254",
      "https://pds.internal"
    ]) {
      await world.old.beneath(
        updatePlc(who.did, ({ services }) => ({
          services: { ...services, atproto_pds: { type: "AtprotoPersonalDataServer", endpoint } }
        }))
      )
      const shown = await world.beginBy(browser, who)
      assert.strictEqual(shown.status, 400, endpoint)
      assert.include(shown.text, "We couldn’t", endpoint)
      assert.deepStrictEqual(world.called, [], endpoint)
    }
    assert.isUndefined(await statusOf(world.host, who.did))
  })

  it("endless responses, and a file with other bytes, cost a bounded amount and move nothing wrong", async () => {
    const who = await world.mover()
    const browser = new Browser(world.host)
    for (const nsid of ["com.atproto.server.createSession", "com.atproto.server.getServiceAuth"]) {
      world.attacks.clear()
      world.attacks.set(nsid, endless)
      const shown = await world.beginBy(browser, who)
      assert.include(shown.text, "We couldn’t reach localhost:8790", nsid)
    }
    world.attacks.clear()
    let page = await world.beginBy(browser, who)
    world.attacks.set("com.atproto.sync.getLatestCommit", endless)
    page = await browser.submit(page.form("/moving/step"))
    assert.include(page.text, "We couldn’t reach localhost:8790")
    world.attacks.clear()
    world.attacks.set("com.atproto.sync.getBlob", () => new Response("other bytes"))
    page = await copied(browser, page)
    assert.include(page.text, "3 pictures or videos couldn’t be copied")
    world.attacks.clear()
    page = await browser.submit(page.form("/moving/retry"))
    assert.include(page.text, "3 of 3")
    const odd = [
      () => Response.json({ rev: "x".repeat(1000) }),
      () => Response.json({}),
      () => Response.json({ rev: "3zzzzzzzzzz22" })
    ]
    for (const answer of odd) {
      world.attacks.set("com.atproto.sync.getLatestCommit", answer)
      const shown = await world.confirm(browser, who, page)
      assert.strictEqual(shown.status, 400)
      assert.isTrue(await statusOf(world.old, who.did))
    }
  })
})
