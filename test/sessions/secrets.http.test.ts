import { assert, describe, it } from "@effect/vitest"
import { vi } from "vitest"
import { pushed } from "../support/http/authorizePages.ts"
import { Browser } from "../support/http/httpBrowser.ts"
import { adminPassword, type Asked, basic, bearer, origin } from "../support/http/httpHost.ts"
import { allMethods, goodCall } from "../support/http/httpMethods.ts"
import { ok, serviceToken, session, startWorld, type World } from "../support/http/httpWorld.ts"
import { publicApp } from "../support/http/oauthApp.ts"

/** Everything that `body` writes to the console. */
const captured = async (body: () => Promise<void>): Promise<string> => {
  const lines: Array<string> = []
  const write = (...texts: Array<unknown>) => void lines.push(texts.map(String).join(" "))
  const spies = (["log", "info", "warn", "error", "debug", "trace"] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation(write)
  )
  try {
    await body()
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  return lines.join("\n")
}

const address = "203.0.113.77"

/** Submits forms that fail after a pushed request; returns their secrets. */
const refusedPages = async (world: World): Promise<ReadonlyArray<string>> => {
  const app = await publicApp(world)
  const { path } = await pushed(app)
  const browser = new Browser(world)
  const page = await browser.get(path)
  const form = page.form("/sign-in")
  const secret = { identifier: "secret-address@mail.test", password: "a password that is typed" }
  await browser.post(form, { ...secret, csrf: "broken" })
  await browser.post(form, secret)
  await new Browser(world).post(form, secret)
  await new Browser(world).get(path)
  const uri = new URL(path, origin).searchParams.get("request_uri") ?? ""
  const known = uri.slice("urn:ietf:params:oauth:request_uri:".length)
  assert.isAbove(known.length, 20)
  return [known, ...Object.values(secret), ...browser.cookies.values(), form.fields["csrf"] ?? ""]
}

const masterKey = Buffer.alloc(32, 0x5a)
const rotationKey = "3c".repeat(32)

describe("the log", () => {
  it("the log has one line a request, without any password, token or key", async () => {
    const secrets = new Set<string>([
      adminPassword,
      basic().slice(6),
      masterKey.toString("base64url"),
      masterKey.toString("hex"),
      rotationKey,
      "a wrong password",
      "a bypass key of some length",
      address,
      "secret-path",
      "SECRET-QUERY",
      "secret-ray"
    ])
    let requests = 0
    const log = await captured(async () => {
      const world = await startWorld({
        LOG_LEVEL: "trace",
        MASTER_KEY: masterKey.toString("base64url"),
        PLC_ROTATION_KEY: rotationKey,
        RATE_LIMITS: "on",
        RATE_LIMIT_BYPASS_KEY: "a bypass key of some length"
      })
      const call = async (nsid: string, asked: Asked) => {
        requests += 1
        const answer = await world.call(nsid, {
          ...asked,
          headers: { ...asked.headers, "cf-connecting-ip": address, "cf-ray": "secret-ray" }
        })
        for (const name of ["accessJwt", "refreshJwt", "token", "password", "code"]) {
          const secret = answer.body[name]
          if (typeof secret === "string") secrets.add(secret)
        }
        return answer
      }
      for (const person of [world.alice, world.bob, world.carol, world.dora]) {
        secrets.add(person.password).add(person.auth.slice(7))
      }
      secrets.add(
        await serviceToken(world, world.alice.did, { lxm: "com.atproto.repo.uploadBlob" })
      )
      for (const nsid of allMethods) {
        const good = await goodCall(world, nsid)
        if (good.auth !== undefined && !good.auth.startsWith("Basic")) {
          secrets.add(good.auth.slice(7))
        }
        await call(nsid, good)
        // Invalid in every way, with valid credentials.
        const { auth } = good
        const headers = { "x-ratelimit-bypass": "a bypass key of some length" }
        await call(nsid, { auth, headers, method: "POST", body: "{", query: "?limit=x" })
        await call(nsid, { ...good, auth: bearer(`${world.alice.auth.slice(7)}x`) })
        if (nsid === "com.atproto.server.deactivateAccount") {
          const again = "com.atproto.server.activateAccount"
          ok(await call(again, await goodCall(world, again)))
        }
      }
      const headers = { "cf-connecting-ip": address }
      await world.ask("/secret-path/SECRET-QUERY?x=SECRET-QUERY", { headers })
      await world.ask("/account/reset?code=SECRET-QUERY", { headers })
      await world.ask("/xrpc/secret-path?code=SECRET-QUERY", { headers })
      for (const secret of await refusedPages(world)) secrets.add(secret)
      const identifier = world.alice.handle
      const signIn = "com.atproto.server.createSession"
      await call(signIn, { input: { identifier, password: world.alice.password } })
      await call(signIn, { input: { identifier, password: "a wrong password" } })
      await call("com.atproto.server.createInviteCode", {
        auth: basic("a wrong password"),
        input: { useCount: 1 }
      })
      const { accessJwt, refreshJwt } = await session(world, world.alice.did, "full")
      secrets.add(refreshJwt)
      const input = { name: "a script", days: 1 }
      const made = ok(await world.ask("/manage/tokens/create", { auth: bearer(accessJwt), input }))
      const token: string = made["token"]
      secrets.add(token)
      const getSession = "com.atproto.server.getSession"
      for (const sent of [token, `${token}x`, token.slice(0, -1)]) {
        await call(getSession, { auth: bearer(sent) })
        await call("com.atproto.repo.createRecord", { auth: bearer(sent), input: {} })
      }
      await call("com.atproto.server.refreshSession", { method: "POST", auth: bearer(refreshJwt) })
      // A sign-up that fails at the PLC directory and is undone.
      const createAccount = "com.atproto.server.createAccount"
      const good = await goodCall(world, createAccount)
      world.network.cut(true)
      await call(createAccount, good)
      secrets.add("a good password")
      await world.close()
    })
    const lines = log.split("\n").filter((line) => line.includes('"message":"request"'))
    assert.isAtLeast(lines.length, requests)
    for (const line of lines) {
      const { annotations } = JSON.parse(line)
      for (const name of Object.keys(annotations)) {
        assert.include(["id", "http", "method", "account", "status", "ms"], name, line)
      }
      assert.isString(annotations.id, line)
      assert.isString(annotations.method, line)
      assert.isNumber(annotations.status, line)
      assert.isNumber(annotations.ms, line)
    }
    assert.include(log, '"account":"did:web:alice.test"')
    assert.isAbove(secrets.size, 30)
    for (const secret of secrets) {
      assert.isFalse(log.includes(secret), `the log holds a secret: ${lineWith(log, secret)}`)
      // A token's last part is enough to find it in a truncated text.
      const tail = secret.split(".").at(-1) ?? ""
      if (tail.length > 30) assert.isFalse(log.includes(tail), lineWith(log, tail))
    }
  })
})

const lineWith = (log: string, text: string): string =>
  log
    .split("\n")
    .find((line) => line.includes(text))
    ?.slice(0, 600) ?? ""
