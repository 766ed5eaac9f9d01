import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { HostServices } from "../../src/http/host.ts"
import { makeHandler } from "../../src/http/webHandler.ts"
import * as AddressLimits from "../../src/layers/limits/AddressLimits.ts"
import * as ConfigEnv from "../../src/layers/host/ConfigEnv.ts"
import * as Logging from "../../src/layers/host/Logging.ts"
import { Config, type Problem } from "../../src/services/host/Config.ts"
import { HostKeys } from "../../src/services/host/HostKeys.ts"
import { env as base } from "./world.ts"

const env = { ...base, LOG_LEVEL: "none", RATE_LIMITS: "off" }

/** A host with only its settings, client counters and keys, any of which may be wrong. */
const hostWith = (settings: Layer.Layer<Config>, problems: ReadonlyArray<Problem> = []) =>
  makeHandler(
    // SAFETY: these responses use no other service.
    Layer.mergeAll(
      Logging.layer,
      AddressLimits.layer(),
      Layer.succeed(
        HostKeys,
        HostKeys.of({ areRight: () => false, problems: Effect.succeed(problems) })
      )
    ).pipe(Layer.provideMerge(settings)) as Layer.Layer<HostServices>
  )

const whole = Layer.orDie(ConfigEnv.layer(env))

/** Settings in which something that every response needs is broken. */
const broken = Layer.effect(
  Config,
  Effect.map(Config, (settings) =>
    Object.defineProperty({ ...settings }, "isLocal", {
      get: () => {
        throw new Error("broken")
      }
    })
  )
).pipe(Layer.provide(whole))

const bodyOf = (response: Response) => response.json() as Promise<Record<string, unknown>>

const get = (init: RequestInit = {}) => new Request("https://pds.host/robots.txt", init)

describe("the host's web handler", () => {
  it("the handler responds", async () => {
    const response = await hostWith(whole)(get())
    assert.strictEqual(response.status, 200)
  })

  it("the handler rejects every request with keys other than the data's, and says so at /ready", async () => {
    const problems = [{ variable: "MASTER_KEY", message: "is another one" }]
    const handler = hostWith(whole, problems)
    for (const path of ["/", "/robots.txt", "/xrpc/_health", "/oauth/par", "/account/x", "/none"]) {
      const response = await handler(new Request(`https://pds.host${path}`))
      assert.strictEqual(response.status, 503, path)
      assert.strictEqual((await bodyOf(response))["error"], "ServerMisconfigured", path)
    }
    const ready = await handler(new Request("https://pds.host/ready"))
    assert.strictEqual(ready.status, 503)
    assert.deepInclude(await bodyOf(ready), { ready: false, problems })
  })

  it("the handler returns 500 if a response fails after it was created", async () => {
    const response = await hostWith(broken)(get())
    assert.strictEqual(response.status, 500)
    assert.deepStrictEqual(await response.json(), {
      requestId: response.headers.get("x-request-id"),
      error: "InternalServerError",
      message: "Internal Server Error"
    })
  })

  it("the handler cancels the work for a client that disconnected", async () => {
    const gone = new AbortController()
    let isCancelled = false
    const body = new ReadableStream({
      pull: () => gone.abort(),
      cancel: () => void (isCancelled = true)
    })
    // On a local machine, the rest of a body is awaited.
    const local = ConfigEnv.layer({
      ...env,
      PUBLIC_URL: "http://localhost:8787",
      HANDLE_DOMAINS: ""
    })
    const asked = { method: "POST", body, duplex: "half", signal: gone.signal }
    const response = await hostWith(Layer.orDie(local))(get(asked))
    assert.strictEqual(response.status, 499)
    assert.isTrue(isCancelled)
  })
})
