import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { clientAddress, countRequest, isUnlimited } from "../../src/http/limits/clientLimits.ts"
import { withHeaders } from "../../src/http/responses.ts"
import { corsHeaders, isPreflight, preflight } from "../../src/http/cors.ts"
import { wireError } from "../../src/http/errors.ts"
import { misconfigured, ready, xrpcHealth } from "../../src/http/host/health.ts"
import { home } from "../../src/http/host/home.ts"
import { atprotoDid, didDocument, robots } from "../../src/http/identity/wellKnown.ts"
import * as BlobStoreMemory from "../../src/layers/blobs/BlobStoreMemory.ts"
import { read } from "../../src/layers/host/ConfigEnv.ts"
import { WatchNotes } from "../../src/services/operators/WatchNotes.ts"
import { BackupLedger } from "../../src/services/backups/BackupLedger.ts"
import { Alerts } from "../../src/services/operators/Alerts.ts"
import * as Readiness from "../../src/services/host/Readiness.ts"
import { Directory, DirectoryUnavailable } from "../../src/services/accounts/Directory.ts"
import { Disk } from "../../src/services/host/Disk.ts"
import { Sequencer, SequencerUnavailable } from "../../src/services/stream/Sequencer.ts"
import { rules } from "../../src/services/limits/rules.ts"
import packageJson from "../../package.json" with { type: "json" }
import { version } from "../../src/core/host/version.ts"
import { env, FakeAccounts, world } from "./world.ts"

const settings = (change: Record<string, string> = {}) =>
  Result.getOrThrow(read({ ...env, ...change }))

const from = (address: string, headers: Record<string, string> = {}) =>
  new Request("https://pds.host/", { headers: { "cf-connecting-ip": address, ...headers } })

const bodyOf = (response: Response) => Effect.promise(() => response.text())

const sequencer = (status: Sequencer["Service"]["status"]) =>
  Layer.succeed(
    Sequencer,
    // SAFETY: the test reads only the status.
    Sequencer.of({ status } as Sequencer["Service"])
  )

const online = sequencer(Effect.succeed({ seq: 1, oldest: 1, events: 1, subscribers: 0 }))

describe("well-known files", () => {
  const local = { env: { PUBLIC_URL: "http://localhost:8787", HANDLE_DOMAINS: "test" } }
  const make = (did: string, handle: string, accounts: FakeAccounts) =>
    Effect.gen(function* () {
      const directory = yield* Directory
      yield* directory.reserve({ did, handle })
      yield* directory.setStatus(did, "active")
      const signingKey = {
        curve: "k256",
        wrapped: new Uint8Array(),
        didKey: "did:key:zKey"
      } as const
      yield* accounts.service.call(did, "create", { did, handle, signingKey, active: true })
    })

  const at = <A>(url: string, ask: (request: Request, url: URL) => A): A =>
    ask(new Request(url), new URL(url))

  it.effect("did.json is the server's own until an account has the host's DID", () => {
    const accounts = new FakeAccounts()
    return Effect.gen(function* () {
      const url = new URL("http://localhost:8787/.well-known/did.json")
      const own = JSON.parse(yield* bodyOf(yield* didDocument(new Request(url), url)))
      assert.strictEqual(own.id, "did:web:localhost%3A8787")
      assert.deepStrictEqual(own.verificationMethod, [])
      yield* make(own.id, "you.test", accounts)
      const account = JSON.parse(yield* bodyOf(yield* didDocument(new Request(url), url)))
      assert.strictEqual(account.id, own.id)
      assert.deepStrictEqual(account.alsoKnownAs, ["at://you.test"])
      assert.strictEqual(account.verificationMethod[0].publicKeyMultibase, "zKey")
      assert.strictEqual(account.service[0].serviceEndpoint, "http://localhost:8787")
    }).pipe(Effect.provide(world(accounts, local)))
  })

  it.effect("did.json of a handle's host is that account's, if its DID is that host's", () => {
    const accounts = new FakeAccounts()
    return Effect.gen(function* () {
      yield* make("did:web:alice.pds.host", "alice.pds.host", accounts)
      yield* make("did:plc:bob", "bob.pds.host", accounts)
      const document = (host: string) => at(`https://${host}/.well-known/did.json`, didDocument)
      const alice = yield* document("alice.pds.host")
      assert.strictEqual(JSON.parse(yield* bodyOf(alice)).id, "did:web:alice.pds.host")
      assert.strictEqual((yield* document("bob.pds.host")).status, 404)
      assert.strictEqual((yield* document("nobody.pds.host")).status, 404)
      assert.strictEqual((yield* document("pds.host")).status, 200)
    }).pipe(Effect.provide(world(accounts)))
  })

  it.effect("atproto-did returns the account whose handle is the host, including the apex", () => {
    const accounts = new FakeAccounts()
    return Effect.gen(function* () {
      yield* make("did:plc:alice", "alice.pds.host", accounts)
      yield* make("did:plc:apex", "pds.host", accounts)
      const ask = (host: string) =>
        at(`https://${host}/.well-known/atproto-did`, atprotoDid).pipe(
          Effect.flatMap((response) =>
            Effect.map(bodyOf(response), (body) => [response.status, body])
          )
        )
      assert.deepStrictEqual(yield* ask("alice.pds.host"), [200, "did:plc:alice"])
      assert.deepStrictEqual(yield* ask("pds.host"), [200, "did:plc:apex"])
      assert.strictEqual((yield* ask("nobody.pds.host"))[0], 404)
    }).pipe(Effect.provide(world(accounts)))
  })

  it.effect("an outage of the directory is a 503 rather than an unknown handle", () =>
    Effect.gen(function* () {
      const url = new URL("https://alice.pds.host/.well-known/atproto-did")
      const failure = yield* Effect.flip(atprotoDid(new Request(url), url))
      assert.strictEqual(wireError(failure).status, 503)
    }).pipe(
      Effect.provide(
        world(new FakeAccounts(), {
          directory: {
            byHandle: () =>
              Effect.fail(new DirectoryUnavailable({ operation: "byHandle", cause: "down" }))
          }
        })
      )
    )
  )

  it("robots.txt allows crawlers", async () => {
    assert.include(await robots(new Request("https://pds.host/robots.txt")).text(), "Allow: /")
  })

  it.effect("the home page says what the server is", () =>
    Effect.gen(function* () {
      for (const accept of ["*/*", "text/html,application/xhtml+xml"]) {
        const asked = new Request("https://pds.host/", { headers: { accept } })
        const shown = yield* home(asked)
        const type = accept === "*/*" ? "text/plain" : "text/html"
        assert.include(shown.headers.get("content-type"), type)
        const body = yield* bodyOf(shown)
        for (const text of ["pds.host", "AT Protocol", "/account"]) assert.include(body, text)
      }
    }).pipe(Effect.provide(world(new FakeAccounts())))
  )
})

describe("health checks", () => {
  const down = {
    directory: {
      ping: Effect.fail(new DirectoryUnavailable({ operation: "ping", cause: "secret cause" }))
    }
  }

  const readiness = (overrides: object, log: Layer.Layer<Sequencer>) =>
    Readiness.layer.pipe(
      Layer.provideMerge(
        Layer.mergeAll(
          world(new FakeAccounts(), overrides),
          BlobStoreMemory.layer,
          log,
          Layer.mock(BackupLedger, {}),
          Layer.mock(WatchNotes, {}),
          Layer.mock(Alerts, { summary: Effect.undefined })
        )
      )
    )

  it.effect("a dependency is checked again after five seconds, whatever the result", () =>
    Effect.gen(function* () {
      let asked = 0
      let isUp = true
      const ping = Effect.suspend(() => {
        asked += 1
        return isUp
          ? Effect.void
          : Effect.fail(new DirectoryUnavailable({ operation: "ping", cause: "x" }))
      })
      const statuses = Effect.gen(function* () {
        const statusNow = Effect.map(xrpcHealth(), ({ status }) => status)
        const seen = [yield* statusNow]
        isUp = false
        yield* TestClock.adjust("4 seconds")
        seen.push(yield* statusNow)
        yield* TestClock.adjust("1 second")
        seen.push(yield* statusNow)
        isUp = true
        yield* TestClock.adjust("4 seconds")
        seen.push(yield* statusNow)
        yield* TestClock.adjust("1 second")
        seen.push(yield* statusNow)
        return seen
      })
      const seen = yield* Effect.provide(statuses, readiness({ directory: { ping } }, online))
      assert.deepStrictEqual([seen, asked], [[200, 200, 503, 503, 200], 3])
    })
  )

  it("the version equals the package's", () => {
    assert.strictEqual(version, packageJson.version)
  })

  it.effect("_health returns 503 during an outage of the directory", () =>
    Effect.gen(function* () {
      const check = (overrides: object) =>
        xrpcHealth().pipe(Effect.provide(readiness(overrides, online)))
      const up = yield* check({})
      assert.deepStrictEqual([up.status, yield* bodyOf(up)], [200, JSON.stringify({ version })])
      const failing = yield* check(down)
      assert.strictEqual(failing.status, 503)
    })
  )

  it.effect("ready lists each dependency, and which one is down", () =>
    Effect.gen(function* () {
      const check = (overrides: object, log: Layer.Layer<Sequencer>) =>
        ready(new URL("https://pds.host/ready")).pipe(
          Effect.flatMap((response) =>
            Effect.map(bodyOf(response), (body) => ({ status: response.status, body }))
          ),
          Effect.provide(readiness(overrides, log))
        )
      const all = yield* check({}, online)
      assert.strictEqual(all.status, 200)
      assert.deepStrictEqual(JSON.parse(all.body).checks, { d1: "ok", r2: "ok", sequencer: "ok" })
      const unavailable = new SequencerUnavailable({ operation: "status", cause: "x" })
      const broken = yield* check(down, sequencer(Effect.fail(unavailable)))
      assert.strictEqual(broken.status, 503)
      assert.deepStrictEqual(JSON.parse(broken.body).checks, {
        d1: "error",
        r2: "ok",
        sequencer: "error"
      })
      assert.notInclude(broken.body, "secret cause")
    })
  )

  it.effect("ready reports a full disk, if the server has one", () =>
    Effect.gen(function* () {
      const check = (free: number) =>
        ready(new URL("https://pds.host/ready")).pipe(
          Effect.flatMap((response) =>
            Effect.map(bodyOf(response), (body) => [response.status, JSON.parse(body).checks.disk])
          ),
          Effect.provide(readiness({}, online)),
          Effect.provideService(Disk, { free: Effect.succeed(free) })
        )
      assert.deepStrictEqual(yield* check(15_000_000), [503, "full"])
      assert.deepStrictEqual(yield* check(17_000_000), [200, "ok"])
    })
  )

  it.effect("ready warns if a server with a public name considers itself local", () =>
    Effect.gen(function* () {
      const ask = (address: string) =>
        ready(new URL(address)).pipe(
          Effect.flatMap(bodyOf),
          Effect.map((body) => JSON.parse(body).warnings as unknown),
          Effect.provide(readiness({ env: { PUBLIC_URL: "" } }, online))
        )
      assert.isUndefined(yield* ask("http://localhost:8787/ready"))
      assert.include(JSON.stringify(yield* ask("https://pds.example.com/ready")), "PUBLIC_URL")
    })
  )

  it("a misconfigured server returns 503 everywhere, and /ready says what is wrong", async () => {
    const failure = Result.getOrThrow(Result.flip(read({ ...env, ADMIN_PASSWORD: "s3cret" })))
    const method = misconfigured(new URL("https://pds.host/xrpc/any.method.name"), failure)
    assert.strictEqual(method.status, 503)
    assert.include(await method.text(), "ServerMisconfigured")
    const answered = await misconfigured(new URL("https://pds.host/ready"), failure).text()
    assert.include(answered, "ADMIN_PASSWORD")
    assert.notInclude(answered, "s3cret")
  })
})

describe("a client's rate limits", () => {
  it("rate limits count IPv4 by address and IPv6 by /64", () => {
    assert.strictEqual(clientAddress(from("192.0.2.1")), "192.0.2.1")
    assert.strictEqual(clientAddress(from("::ffff:192.0.2.1")), "192.0.2.1")
    assert.strictEqual(clientAddress(from("2001:db8:1:2:3:4:5:6")), "2001:db8:1:2::/64")
    assert.strictEqual(clientAddress(from("2001:0DB8:0001:2::9")), "2001:db8:1:2::/64")
    assert.strictEqual(clientAddress(from("2001:db8::9")), "2001:db8:0:0::/64")
    assert.strictEqual(clientAddress(from("::1")), "0:0:0:0::/64")
    assert.strictEqual(clientAddress(new Request("https://pds.host/")), "unknown")
  })

  it("rate limits are disabled by the configuration, or by the exact bypass key", () => {
    const key = "a key of sixteen or more"
    const bypass = settings({ RATE_LIMIT_BYPASS_KEY: key })
    const show = (value: string) => from("192.0.2.1", { "x-ratelimit-bypass": value })
    assert.isFalse(isUnlimited(show(key), settings()))
    assert.isFalse(isUnlimited(from("192.0.2.1"), bypass))
    assert.isFalse(isUnlimited(show(`${key}x`), bypass))
    assert.isTrue(isUnlimited(show(key), bypass))
    assert.isTrue(isUnlimited(from("192.0.2.1"), settings({ RATE_LIMITS: "off" })))
  })

  it.effect("rate limits are in the headers, and reject the 3,001st request", () =>
    Effect.gen(function* () {
      const request = from("192.0.2.1")
      const first = yield* countRequest(request, [])
      assert.deepInclude(first, { "ratelimit-limit": "3000", "ratelimit-remaining": "2999" })
      for (let n = 1; n < 3000; n++) yield* countRequest(request, [])
      const refused = yield* Effect.flip(countRequest(request, []))
      assert.strictEqual(refused._tag, "RateLimitExceeded")
      const repo = yield* countRequest(request, [rules.getRepo])
      assert.deepInclude(repo, { "ratelimit-limit": "6000" })
    }).pipe(Effect.provide(world(new FakeAccounts())))
  )
})

describe("CORS", () => {
  const ask = (headers: Record<string, string>) =>
    new Request("https://pds.host/xrpc/a.b.c", { method: "OPTIONS", headers })

  it("CORS allows every origin to read every response by default, without credentials", async () => {
    const request = from("192.0.2.1", { origin: "https://app.one" })
    const response = withHeaders(
      new Response("hi", { status: 401 }),
      corsHeaders(request, settings())
    )
    assert.strictEqual(response.status, 401)
    assert.strictEqual(await response.text(), "hi")
    assert.strictEqual(response.headers.get("access-control-allow-origin"), "*")
    assert.isNull(response.headers.get("access-control-allow-credentials"))
    for (const name of ["DPoP-Nonce", "WWW-Authenticate", "RateLimit-Reset", "atproto-repo-rev"]) {
      assert.include(response.headers.get("access-control-expose-headers") ?? "", name)
    }
  })

  it("a preflight response is valid for a day, with the requested headers", () => {
    const request = ask({
      origin: "https://app.one",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,dpop,x-custom"
    })
    assert.isTrue(isPreflight(request))
    const response = preflight(request, settings())
    assert.strictEqual(response.status, 204)
    assert.strictEqual(response.headers.get("access-control-max-age"), "86400")
    assert.include(response.headers.get("access-control-allow-headers") ?? "", "x-custom")
    assert.include(response.headers.get("access-control-allow-methods") ?? "", "POST")
    assert.isFalse(isPreflight(ask({ origin: "https://app.one" })))
  })

  it("CORS allows only configured origins, with Vary: Origin", () => {
    const only = settings({ CORS_ORIGINS: "https://app.one" })
    const allowed = corsHeaders(from("192.0.2.1", { origin: "https://app.one" }), only)
    assert.strictEqual(allowed["access-control-allow-origin"], "https://app.one")
    const other = from("192.0.2.1", { origin: "https://app.two" })
    assert.deepStrictEqual(corsHeaders(other, only), { vary: "Origin" })
    const response = withHeaders(
      new Response(null, { headers: { vary: "Authorization" } }),
      corsHeaders(other, only)
    )
    assert.strictEqual(response.headers.get("vary"), "Authorization, Origin")
    const refused = preflight(ask({ origin: "https://app.two" }), only)
    assert.isNull(refused.headers.get("access-control-allow-methods"))
  })
})
