import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { HostServices } from "../../../src/http/hostServices.ts"
import { makeHandler } from "../../../src/http/webHandler.ts"
import * as AddressLimits from "../../../src/layers/AddressLimits.ts"
import * as ConfigEnv from "../../../src/layers/ConfigEnv.ts"
import * as Logging from "../../../src/layers/Logging.ts"
import { Config } from "../../../src/services/Config.ts"
import { env as base } from "./world.ts"

const env = { ...base, LOG_LEVEL: "none", RATE_LIMITS: "off" }

/** A host that has nothing but its settings, which may be broken, and the counters of its clients. */
const hostWith = (settings: Layer.Layer<Config>) =>
  makeHandler(
    // SAFETY: nothing else is asked for on the way to these answers.
    Layer.merge(Logging.layer, AddressLimits.layer()).pipe(
      Layer.provideMerge(settings)
    ) as Layer.Layer<HostServices>
  )

const whole = Layer.orDie(ConfigEnv.layer(env))

/** Settings of which one thing that every answer needs cannot be told. */
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

const get = (init: RequestInit = {}) => new Request("https://pds.host/robots.txt", init)

describe("the host's web handler", () => {
  it("answers", async () => {
    const response = await hostWith(whole)(get())
    assert.strictEqual(response.status, 200)
  })

  it("says that it is at fault where an answer fails after it was made", async () => {
    const response = await hostWith(broken)(get())
    assert.strictEqual(response.status, 500)
    assert.deepStrictEqual(await response.json(), {
      error: "InternalServerError",
      message: "Internal Server Error"
    })
  })

  it("ends what was begun for a client that has gone away", async () => {
    const gone = new AbortController()
    let isCancelled = false
    const body = new ReadableStream({
      pull: () => gone.abort(),
      cancel: () => void (isCancelled = true)
    })
    // On this machine the rest of a body is waited for.
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
