import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { declarers } from "../../scripts/reference/limits.ts"
import { rules } from "../../src/services/limits/rules.ts"
import { Browser } from "../support/http/httpBrowser.ts"
import type { Answered, Asked } from "../support/http/httpHost.ts"
import { codeFor, newcomer } from "../support/http/httpCodes.ts"
import { basic, bearer, startHost } from "../support/http/httpHost.ts"
import { writtenForms } from "../support/writtenNames.ts"
import {
  ok,
  outcomeOf,
  png,
  post,
  session,
  signUp,
  startWorld,
  type World
} from "../support/http/httpWorld.ts"

const bypass = "a key that opens every limit"

/** Runs a test in its own world with active limits. */
const limited = (title: string, body: (world: World) => Promise<void>) =>
  it(title, async () => {
    const world = await startWorld({ RATE_LIMITS: "on", RATE_LIMIT_BYPASS_KEY: bypass })
    await body(world)
    await world.close()
  })

const from = (address: string) => ({ "cf-connecting-ip": address })

/** The limit in a response: its points, how many are left, and its window. */
const limitIn = ({ headers }: Answered) => ({
  limit: headers.get("ratelimit-limit"),
  remaining: headers.get("ratelimit-remaining"),
  policy: headers.get("ratelimit-policy")
})

const describeServer = "com.atproto.server.describeServer"

describe("rate limits", () => {
  limited("every response has its limits, even errors and forwarded calls", async (world) => {
    const asks: Array<[string, Asked]> = [
      [describeServer, {}],
      ["com.example.nothing", {}],
      ["com.atproto.server.getSession", { auth: world.alice.auth }],
      ["com.atproto.server.getSession", {}],
      ["com.atproto.sync.getLatestCommit", { params: { did: world.alice.did } }]
    ]
    for (const [at, [nsid, asked]] of asks.entries()) {
      const answer = await world.call(nsid, { ...asked, headers: from("192.0.2.1") })
      const remaining = String(2999 - at)
      assert.deepStrictEqual(limitIn(answer), { limit: "3000", remaining, policy: "3000;w=300" })
      const reset = Number(answer.headers.get("ratelimit-reset"))
      assert.isAbove(reset, world.now() / 1000)
      assert.isAtMost(reset, world.now() / 1000 + 301)
    }
  })

  limited(
    "an address is limited to 3,000 calls until the window ends, and others are not affected",
    async (world) => {
      const call = (address: string, more = {}) =>
        world.call(describeServer, { headers: { ...from(address), ...more } })
      for (let count = 0; count < 3000; count++) {
        assert.strictEqual((await call("192.0.2.1")).status, 200)
      }
      const refused = await call("192.0.2.1")
      assert.strictEqual(outcomeOf(refused), "429 RateLimitExceeded")
      assert.strictEqual(limitIn(refused).remaining, "0")
      assert.match(refused.headers.get("retry-after") ?? "", /^\d+$/)
      assert.isAtMost(Number(refused.headers.get("retry-after")), 300)
      assert.strictEqual(refused.headers.get("access-control-allow-origin"), "*")
      assert.strictEqual((await call("192.0.2.2")).status, 200)
      assert.strictEqual((await call("192.0.2.1", { "x-ratelimit-bypass": bypass })).status, 200)
      assert.strictEqual((await call("192.0.2.1", { "x-ratelimit-bypass": "x" })).status, 429)
      const getRepo = { params: { did: world.alice.did }, headers: from("192.0.2.1") }
      const exported = await world.call("com.atproto.sync.getRepo", getRepo)
      assert.deepStrictEqual([exported.status, limitIn(exported).limit], [200, "6000"])
      world.advance(301_000)
      assert.strictEqual((await call("192.0.2.1")).status, 200)
    }
  )

  limited(
    "password guesses are limited to 30 failures, however the handle is written",
    async (world) => {
      const { handle, password } = world.alice
      const signIn = (identifier: string, secret: string, address = "192.0.2.1") =>
        world.call("com.atproto.server.createSession", {
          input: { identifier, password: secret },
          headers: from(address)
        })
      // Successful sign-ins don't use the limit up.
      for (let count = 0; count < 3; count++) ok(await signIn(handle, password))
      const writings = writtenForms(handle)
      const guesses = Array.from({ length: 30 }, (_, at) =>
        signIn(writings[at % writings.length]!, `guess ${at}`)
      )
      for (const answer of await Promise.all(guesses)) {
        assert.strictEqual(outcomeOf(answer), "401 AuthenticationRequired")
      }
      for (const writing of writings) {
        const refused = await signIn(writing, password)
        assert.strictEqual(outcomeOf(refused), "429 RateLimitExceeded")
        assert.isAtMost(Number(refused.headers.get("retry-after")), 300)
      }
      ok(await signIn(handle, password, "192.0.2.2"))
      ok(await signIn(world.bob.handle, world.bob.password))
      // The limit doesn't reveal whether an account exists.
      const nobody = Array.from({ length: 31 }, (_, at) => signIn("nobody.test", `guess ${at}`))
      const outcomes = (await Promise.all(nobody)).map(outcomeOf)
      assert.lengthOf(
        outcomes.filter((outcome) => outcome === "429 RateLimitExceeded"),
        1
      )
      world.advance(301_000)
      ok(await signIn(handle, password))
    }
  )

  limited("an address is limited to 100 sign-up attempts", async (world) => {
    const input = { handle: "x", email: "x", password: "x" }
    const wrong = { handle: "good.test", email: "no address", password: "12345678" }
    const call = (body: object, address = "192.0.2.9") =>
      world.call("com.atproto.server.createAccount", {
        input: body,
        auth: basic(),
        headers: from(address)
      })
    for (let count = 0; count < 100; count++) {
      assert.strictEqual(outcomeOf(await call(wrong)), "400 InvalidRequest")
    }
    assert.strictEqual(outcomeOf(await call(wrong)), "429 RateLimitExceeded")
    assert.strictEqual(outcomeOf(await call(wrong, "192.0.2.10")), "400 InvalidRequest")
    assert.strictEqual(outcomeOf(await call(input, "192.0.2.10")), "400 InvalidRequest")
  })

  limited("the bytes of a write count, so a few large records use up the hour", async (world) => {
    const { did, auth } = world.alice
    const [collection, rkey] = ["com.example.note", "one"]
    const put = (text: string) =>
      world.call("com.atproto.repo.putRecord", {
        auth,
        input: { repo: did, collection, rkey, validate: false, record: { $type: collection, text } }
      })
    const large = "y".repeat(980_000)
    let taken = 0
    while ((await put(`${taken}${large}`)).status === 200) taken += 1
    // 119 points each instead of 2.
    assert.strictEqual(taken, 41)
    assert.strictEqual(outcomeOf(await put(large)), "429 RateLimitExceeded")
  })

  limited(
    "an account is limited to 5,000 write points an hour, after which nothing is written",
    async (world) => {
      const { did, auth } = world.alice
      const collection = "app.bsky.feed.post"
      const write = (count: number) => {
        const create = { $type: "com.atproto.repo.applyWrites#create", collection, value: post() }
        const input = { repo: did, writes: Array.from({ length: count }, () => create) }
        return world.call("com.atproto.repo.applyWrites", { auth, input })
      }
      // A create costs 3 points; the initial profile and post took 4.
      for (let batch = 0; batch < 8; batch++) ok(await write(200))
      const head = (await world.call("com.atproto.sync.getHead", { params: { did } })).text
      const refused = await write(200)
      assert.strictEqual(outcomeOf(refused), "429 RateLimitExceeded")
      assert.strictEqual(limitIn(refused).policy, "5000;w=3600")
      assert.match(refused.headers.get("retry-after") ?? "", /^\d+$/)
      assert.strictEqual(
        (await world.call("com.atproto.sync.getHead", { params: { did } })).text,
        head
      )
      ok(await write(60))
      const other = { repo: world.bob.did, collection, record: post() }
      ok(await world.call("com.atproto.repo.createRecord", { auth: world.bob.auth, input: other }))
    }
  )

  limited("an address is limited to 1,000 uploads a day", async (world) => {
    const upload = (address: string) =>
      world.call("com.atproto.repo.uploadBlob", {
        auth: world.alice.auth,
        body: png("the same") as Uint8Array<ArrayBuffer>,
        headers: { "content-type": "image/png", ...from(address) }
      })
    for (let count = 0; count < 1000; count++) {
      const answer = await upload("192.0.2.1")
      assert.strictEqual(limitIn(answer).remaining, String(999 - count))
    }
    const refused = await upload("192.0.2.1")
    assert.strictEqual(outcomeOf(refused), "429 RateLimitExceeded")
    assert.strictEqual(limitIn(refused).policy, "1000;w=86400")
    assert.strictEqual((await upload("192.0.2.2")).status, 200)
    assert.strictEqual(
      (await world.call(describeServer, { headers: from("192.0.2.1") })).status,
      200
    )
  })

  it("responses have no limits while they are off", async () => {
    const world = await startWorld({ RATE_LIMITS: "off" })
    assert.isNull(limitIn(await world.call(describeServer)).limit)
    await world.close()
  })
})

/** A limit: the attempts and seconds, and how to make one attempt. */
interface Rate {
  readonly rule: keyof typeof rules
  readonly what: string
  readonly limits: ReadonlyArray<readonly [count: number, seconds: number]>
  /** Prepares an address, or an account of its own; returns a function for one attempt there. */
  readonly from: (world: World, address: string) => Promise<(at: number) => Promise<number>>
}

const day = 86_400

/** A public method, with a different input each time. */
const calling =
  (nsid: string, input: (at: number) => object): Rate["from"] =>
  async (world, address) =>
  async (at) =>
    (await world.call(nsid, { input: input(at), headers: from(address) })).status

/** A page's form with its input. */
const sending =
  (path: string, action: string, filled: Readonly<Record<string, string>>): Rate["from"] =>
  async (world, address) => {
    const browser = new Browser(world, address)
    const form = (await browser.get(path)).form(action)
    return async () => {
      const { status, text } = await browser.post(form, filled)
      // A sign-in shows it on its form.
      return text.includes("Too many attempts") ? 429 : status
    }
  }

/** An OAuth endpoint, without a proof. */
const posting =
  (path: string): Rate["from"] =>
  async (world, address) =>
  async () => {
    const headers = { ...from(address), "content-type": "application/x-www-form-urlencoded" }
    return (await world.ask(path, { method: "POST", body: "client_id=x", headers })).status
  }

/** An owner's request about their own account, with a recent session. */
const owning =
  (path: string, asked: (at: number) => Asked): Rate["from"] =>
  async (world, address) => {
    const { did } = await signUp(world, `own-${address.replaceAll(".", "-")}`)
    return async (at) => {
      const { accessJwt } = await session(world, did, "full")
      return (await world.ask(path, { method: "POST", auth: bearer(accessJwt), ...asked(at) }))
        .status
    }
  }

const wrong = { password: "a wrong password", token: "AAAAA-AAAAA" }

it("sign-ins of an account send at most 10 mailed codes an hour", async () => {
  const host = await startHost({ MAILER: "captured", RATE_LIMITS: "on" })
  const { auth, did, email, handle: identifier, password } = await newcomer(host, "mailed")
  const server = (name: string, input: object, more: Asked = {}) =>
    host.call(`com.atproto.server.${name}`, { input, ...more })
  const token = await codeFor(host, did, "confirm_email")
  ok(await server("confirmEmail", { email, token }, { auth }))
  ok(await server("updateEmail", { email, emailAuthFactor: true }, { auth }))
  const signIn = () => server("createSession", { identifier, password })
  for (let count = 0; count < 10; count++) {
    assert.strictEqual(outcomeOf(await signIn()), "401 AuthFactorTokenRequired")
  }
  assert.strictEqual(outcomeOf(await signIn()), "429 RateLimitExceeded")
  host.advance(3_601_000)
  assert.strictEqual(outcomeOf(await signIn()), "401 AuthFactorTokenRequired")
  await host.close()
})

/** The table in docs/contribute/security/limits.md, without the general limits and writes. */
const rates: ReadonlyArray<Rate> = [
  {
    rule: "refreshIdentity",
    what: "refreshIdentity",
    limits: [[100, 300]],
    from: calling("com.atproto.identity.refreshIdentity", () => ({ identifier: "nobody.test" }))
  },
  {
    rule: "requestPasswordReset",
    what: "requestPasswordReset",
    limits: [
      [15, 3600],
      [50, day]
    ],
    from: calling("com.atproto.server.requestPasswordReset", () => ({ email: "a@b.example" }))
  },
  {
    rule: "resetPassword",
    what: "resetPassword",
    limits: [[50, 300]],
    from: calling("com.atproto.server.resetPassword", () => wrong)
  },
  {
    rule: "deleteAccount",
    what: "deleteAccount of any account",
    limits: [[50, 300]],
    from: calling("com.atproto.server.deleteAccount", (at) => ({
      ...wrong,
      did: `did:web:nobody${at}.test`
    }))
  },
  {
    rule: "signIn",
    what: "deleteAccount of one account, which is a sign-in",
    limits: [[30, 300]],
    from: calling("com.atproto.server.deleteAccount", () => ({
      ...wrong,
      did: "did:web:nobody.test"
    }))
  },
  {
    rule: "reserveSigningKey",
    what: "reserveSigningKey",
    limits: [
      [20, 300],
      [100, day]
    ],
    from: calling("com.atproto.server.reserveSigningKey", () => ({}))
  },
  {
    rule: "administrator",
    what: "wrong passwords of the administrator",
    limits: [
      [30, 300],
      [300, day]
    ],
    from: async (world, address) => async (at) => {
      const asked = { auth: basic(`guess ${at}`), headers: from(address) }
      return (await world.ask("/admin/relays", asked)).status
    }
  },
  {
    rule: "newDevice",
    what: "browsers that are new to the pages",
    limits: [[200, 300]],
    from: async (world, address) => async () =>
      (await new Browser(world, address).get("/account/sign-in")).status
  },
  {
    rule: "signUp",
    what: "accounts that are made on the page",
    limits: [[100, 300]],
    from: sending("/account/sign-up", "/sign-up", { name: "x", email: "x", password: "x" })
  },
  {
    rule: "lookAtInvite",
    what: "invites that a link brings",
    limits: [[100, 300]],
    from: async (world, address) => {
      const browser = new Browser(world, address)
      return async () => (await browser.get("/account/sign-up?invite=unknown")).status
    }
  },
  {
    rule: "passkey",
    what: "sign-in by passkey",
    limits: [[100, 300]],
    from: sending("/account/sign-in", "/passkey", { credential: "{}" })
  },
  {
    rule: "openPasskeyLink",
    what: "opening a link that adds a passkey",
    limits: [[50, 300]],
    from: sending("/passkey", "/passkey", { link: "AAAAAAAAAAAAAAAAAAAAAA.did:web:alice.test" })
  },
  {
    rule: "resetPassword",
    what: "addresses of one IPv6 network",
    limits: [[50, 300]],
    from: async (world, address) => {
      const network = `2001:db8:${address.split(".").slice(2).join(":")}`
      return async (at) => {
        const asked = { input: wrong, headers: from(`${network}::${at.toString(16)}`) }
        return (await world.call("com.atproto.server.resetPassword", asked)).status
      }
    }
  },
  {
    rule: "handleAvailability",
    what: "checkHandleAvailability",
    limits: [[300, 300]],
    from: async (world, address) => async () => {
      const asked = { params: { handle: "somebody.test" }, headers: from(address) }
      return (await world.call("com.atproto.temp.checkHandleAvailability", asked)).status
    }
  },
  {
    rule: "mailedCode",
    what: "mailed codes of an account",
    limits: [
      [5, 3600],
      [15, day]
    ],
    from: owning("/xrpc/com.atproto.server.requestEmailConfirmation", () => ({}))
  },
  {
    rule: "updateHandle",
    what: "updateHandle of an account",
    limits: [
      [10, 300],
      [50, day]
    ],
    from: owning("/xrpc/com.atproto.identity.updateHandle", () => ({
      input: { handle: "bobby.test" }
    }))
  },
  {
    rule: "updateEmail",
    what: "updateEmail of an account",
    limits: [
      [10, 300],
      [50, day]
    ],
    from: owning("/xrpc/com.atproto.server.updateEmail", () => ({
      input: { email: "bobby@mail.example.com" }
    }))
  },
  {
    rule: "importRepo",
    what: "importRepo of an account",
    limits: [
      [20, 3600],
      [60, day]
    ],
    from: owning("/xrpc/com.atproto.repo.importRepo", () => ({
      body: new Uint8Array([1, 2, 3]),
      headers: { "content-type": "application/vnd.ipld.car" }
    }))
  },
  {
    rule: "makePasskeyLink",
    what: "links that add a passkey to an account",
    limits: [
      [10, 3600],
      [30, day]
    ],
    from: owning("/manage/passkeys/link", () => ({ input: {} }))
  },
  { rule: "oauthPar", what: "/oauth/par", limits: [[100, 300]], from: posting("/oauth/par") },
  { rule: "oauthToken", what: "/oauth/token", limits: [[300, 300]], from: posting("/oauth/token") },
  {
    rule: "oauthRevoke",
    what: "/oauth/revoke",
    limits: [[100, 300]],
    from: posting("/oauth/revoke")
  }
]

/** Tested above. */
const triedAbove: ReadonlyArray<string> = ["general", "getRepo", "uploadBlob", "signInCode"]

describe("every declared rate limit", () => {
  it("each rule applies to a method or a route, and has a test here", () => {
    for (const [name, rule] of Object.entries(rules)) {
      if (name !== "general") assert.isNotEmpty(declarers(rule), name)
      const tried = rates.filter((rate) => rate.rule === name)
      assert.isTrue(tried.length > 0 || triedAbove.includes(name), name)
      for (const { limits, what } of tried) {
        const windows = rule.windows.map(({ limit, windowSeconds }) => [limit, windowSeconds])
        // Failures at one account also count as attempts at any account, with a lower limit.
        const expected = name === "signIn" ? windows.slice(0, 1) : windows
        assert.deepStrictEqual(
          limits.map((limit) => [...limit]),
          expected,
          what
        )
      }
    }
  })
})

describe("the limit of an address or account", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ RATE_LIMITS: "on" })
  })
  afterAll(() => world.close())

  for (const [number, { what, limits, from: prepare }] of rates.entries()) {
    const [[count, seconds] = [0, 0], [daily, wholeDay] = [count, seconds]] = limits
    it(`${what} is limited to ${limits.map(([most, in_]) => `${most} in ${in_} s`).join(", ")}`, async () => {
      const attempt = await prepare(world, `198.51.100.${number}`)
      let made = 0
      const isRefused = async () => (await attempt((made += 1))) === 429
      const refusals = async (times: number) =>
        (await Promise.all(Array.from({ length: times }, isRefused))).filter(Boolean).length

      const start = world.now()
      assert.strictEqual(await refusals(count), 0)
      assert.isTrue(await isRefused())
      const other = await prepare(world, `203.0.113.${number}`)
      assert.notStrictEqual(await other(0), 429)
      // Just before the window ends, however long the attempts took.
      world.advance(Math.max(0, start + (seconds - 30) * 1000 - world.now()))
      assert.isTrue(await isRefused())
      world.advance(seconds * 1000)

      for (let taken = count; taken < daily;) {
        const times = Math.min(count, daily - taken)
        assert.strictEqual(await refusals(times), 0)
        taken += times
        assert.isTrue(await isRefused())
        if (taken < daily) world.advance(seconds * 1000)
      }
      if (daily > count) {
        world.advance(seconds * 1000)
        assert.isTrue(await isRefused())
        world.advance(wholeDay * 1000)
      }
      assert.isFalse(await isRefused())
    })
  }
})
