import { assert, describe, it } from "@effect/vitest"
import { createExecutionContext, runInDurableObject } from "cloudflare:test"
import { createNacre } from "../../../src/createNacre.ts"
import { XrpcError, type XrpcMethod } from "../../../src/index.ts"
import type { ConfigVariable, NacreOptions } from "../../../src/options.ts"
import type { VariableName } from "../../../src/core/host/variables.ts"
import { publicApp } from "../../support/http/oauthApp.ts"
import { appServer, bindings, type Bindings, newPerson, objectOf, origin } from "../workerdWorld.ts"

const serviceDid = "did:web:pds.example.com"

const admin = { authorization: `Basic ${btoa(`admin:${bindings.ADMIN_PASSWORD}`)}` }

/** A server with these options, called like its own Worker. */
const serverOf = (options: NacreOptions<Bindings>, env: Bindings = bindings) => {
  const nacre = createNacre<Bindings>(options)
  return (path: string, init: RequestInit = {}) =>
    nacre.fetch(new Request(`${origin}${path}`, init), env, createExecutionContext())
}

const fallback: NacreOptions<Bindings>["fallback"] = (request, env) =>
  new Response(
    `the site: ${request.method} ${new URL(request.url).pathname} ${String(env["LOG_LEVEL"])}`
  )

const textOf = async (response: Promise<Response>) => (await response).text()

/** The JSON of an XRPC response, with its status. */
const saidBy = async (response: Promise<Response>): Promise<Record<string, unknown>> => {
  const { status } = await response
  const body = await (await response).json<Record<string, unknown>>()
  return { status, ...body }
}

describe("the options of createNacre", () => {
  it("the options contain exactly the settings that the server reads", () => {
    const settings: { readonly [V in VariableName]: true } = {} as {
      readonly [V in ConfigVariable]: true
    }
    const options: { readonly [V in ConfigVariable]: true } = settings
    assert.deepStrictEqual(options, {} as typeof options)
  })
})

describe("loading the server", () => {
  it("errors have stack traces once the server has loaded", () => {
    assert.isAbove(Error.stackTraceLimit, 0)
  })
})

describe("createNacre with a fallback", () => {
  const ask = serverOf({ fallback })

  it("the server handles its own paths with any verb and spelling", async () => {
    for (const path of ["/xrpc/_health", "/ready", "/.well-known/did.json", "/oauth/jwks"]) {
      assert.strictEqual((await ask(path)).status, 200, path)
    }
    for (const path of ["/oauth/authorize/accept", "/ACCOUNT//", "/account/any", "/xrpc/a.b.c"]) {
      for (const method of ["GET", "POST", "DELETE"]) {
        assert.notInclude(await textOf(ask(path, { method })), "the site:", `${method} ${path}`)
      }
    }
  })

  it("every other path goes to the fallback, including / and /robots.txt", async () => {
    for (const path of ["/", "/robots.txt", "/blog/1", "/oauth/nothing", "/.well-known/other"]) {
      const answer = await textOf(ask(path, { method: "PUT" }))
      assert.strictEqual(answer, `the site: PUT ${path} error`)
    }
  })

  it("the home option decides who serves /", async () => {
    const withHome = serverOf({ fallback, home: () => new Response("home") })
    assert.strictEqual(await textOf(withHome("/")), "home")
    assert.include(await textOf(withHome("/else")), "the site:")
    const withNacre = serverOf({ fallback, home: "nacre" })
    assert.include(await textOf(withNacre("/")), "Nacre")
    const alone = serverOf({ home: () => new Response("home") })
    assert.strictEqual(await textOf(alone("/")), "home")
    assert.strictEqual((await alone("/else")).status, 404)
  })

  it("the site is served even if the server is not configured", async () => {
    const without = serverOf({ fallback }, { ...bindings, MASTER_KEY: "" })
    assert.include(await textOf(without("/page")), "the site:")
    assert.strictEqual((await without("/xrpc/_health")).status, 503)
  })
})

describe("createNacre with settings", () => {
  const describeServer = async (options: NacreOptions<Bindings>, env?: Bindings) => {
    const ask = serverOf(options, env)
    return saidBy(ask("/xrpc/com.atproto.server.describeServer"))
  }

  it("settings override the environment's, separately for each server", async () => {
    const config = { INVITE_REQUIRED: false, HANDLE_DOMAINS: ["a.example.com", "b.example.com"] }
    const own = await describeServer({ config })
    assert.deepStrictEqual(own["availableUserDomains"], [".a.example.com", ".b.example.com"])
    assert.strictEqual(own["inviteCodeRequired"], false)
    const other = await describeServer(
      { config: (env) => ({ CONTACT_EMAIL: `a@${env["HOME"]}` }) },
      {
        ...bindings,
        HOME: "example.com"
      }
    )
    assert.deepInclude(other, { contact: { email: "a@example.com" }, inviteCodeRequired: true })
  })

  it("bindings can have other names", async () => {
    const { DIRECTORY, BLOBS, ...rest } = bindings
    const env = { ...rest, PDS_DB: DIRECTORY, PDS_FILES: BLOBS } as unknown as Bindings
    const ask = serverOf({ bindings: { DIRECTORY: "PDS_DB", BLOBS: "PDS_FILES" } }, env)
    const ready = await saidBy(ask("/ready"))
    assert.deepInclude(ready, { status: 200, ready: true })
  })

  it("unbound objects come from the Worker's exports", async () => {
    const { ACCOUNT, SEQUENCER, LIMITER, ...rest } = bindings
    assert.lengthOf([ACCOUNT, SEQUENCER, LIMITER], 3)
    const ask = serverOf({}, rest as unknown as Bindings)
    assert.deepInclude(await saidBy(ask("/ready")), { status: 200, ready: true })
  })

  it("missing bindings are reported with the line that adds them", async () => {
    const { DIRECTORY, BLOBS, ...rest } = bindings
    assert.lengthOf([DIRECTORY, BLOBS], 2)
    const env = { ...rest, MASTER_KEY: "short", LOG_LEVEL: "none" } as unknown as Bindings
    const ready = await saidBy(serverOf({}, env)("/ready"))
    const problems = ready["problems"] as ReadonlyArray<{ variable: string; message: string }>
    assert.deepStrictEqual(
      problems.map(({ variable }) => variable),
      ["DIRECTORY", "BLOBS", "MASTER_KEY"]
    )
    assert.include(problems[0]?.message, "d1_databases")
  })
})

describe("createNacre with a mailer", () => {
  it("the mailer sends, and /ready reports that mail is sent", async () => {
    const mails: Array<string> = []
    const ask = serverOf({ mailer: ({ to, purpose }) => void mails.push(`${purpose} ${to}`) })
    assert.deepInclude(await saidBy(ask("/ready")), { sendsMail: true })
    const { did } = await newPerson()
    const answer = await ask("/xrpc/com.atproto.admin.sendEmail", {
      method: "POST",
      headers: { ...admin, "content-type": "application/json" },
      body: JSON.stringify({ recipientDid: did, senderDid: did, content: "hello" })
    })
    assert.deepStrictEqual(await answer.json(), { sent: true })
    assert.match(mails.join(), /^admin person\d+@example\.com$/)
  })
})

const greet = {
  lexicon: 1,
  id: "com.example.greet",
  defs: {
    main: {
      type: "query",
      parameters: {
        type: "params",
        required: ["name"],
        properties: {
          name: { type: "string", maxLength: 10 },
          times: { type: "integer", default: 1 }
        }
      },
      output: {
        encoding: "application/json",
        schema: {
          type: "object",
          required: ["text"],
          properties: { text: { type: "string" } }
        }
      },
      errors: [{ name: "Rude" }]
    }
  }
}

const keep = {
  lexicon: 1,
  id: "com.example.keep",
  defs: {
    main: {
      type: "procedure",
      input: {
        encoding: "application/json",
        schema: {
          type: "object",
          required: ["link"],
          properties: { link: { type: "cid-link" } }
        }
      }
    }
  }
}

const measure = {
  lexicon: 1,
  id: "com.example.measure",
  defs: { main: { type: "procedure", input: { encoding: "image/*" } } }
}

const cid = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"

type Greeting = { readonly name: string; readonly times: number }

const greeter = (access: XrpcMethod["access"]): XrpcMethod<Bindings, Greeting> => ({
  lexicon: greet,
  access,
  handler: ({ params: { name, times }, caller }) => {
    if (name === "you") throw new XrpcError("Rude", "Say who you are", 403)
    if (name === "bug") throw new Error("a secret detail")
    if (name === "odd") return { text: 1 }
    return {
      text: `hello ${name} x${times}`,
      caller: caller.kind,
      ...("did" in caller ? caller : {})
    }
  }
})

const greetPath = "/xrpc/com.example.greet"

describe("an XRPC method that a Worker adds", () => {
  it("the method's lexicon checks parameters, input and output", async () => {
    const ask = serverOf({
      methods: [
        greeter("public"),
        {
          lexicon: keep,
          access: "public",
          handler: ({ input }) => Response.json(input)
        },
        {
          lexicon: measure,
          access: "public",
          bodyLimit: 10,
          handler: ({ input }) => Response.json((input as Uint8Array).byteLength)
        }
      ]
    })
    const greeted = await saidBy(ask(`${greetPath}?name=bob`))
    assert.deepStrictEqual(greeted, { status: 200, text: "hello bob x1", caller: "anyone" })
    assert.deepInclude(await saidBy(ask(greetPath)), { status: 400, error: "InvalidRequest" })
    assert.strictEqual((await ask(`${greetPath}?name=bob`, { method: "POST" })).status, 400)
    const wrong = await saidBy(ask(`${greetPath}?name=odd`))
    assert.deepInclude(wrong, { status: 500, error: "InternalServerError" })

    const post = (nsid: string, type: string, body: string) =>
      ask(`/xrpc/com.example.${nsid}`, { method: "POST", headers: { "content-type": type }, body })
    const json = (body: object) => post("keep", "application/json", JSON.stringify(body))
    assert.deepStrictEqual(await (await json({ link: { $link: cid } })).json(), {
      link: { $link: cid }
    })
    assert.strictEqual((await json({ link: "no" })).status, 400)
    assert.strictEqual(await textOf(post("measure", "image/png", "12345")), "5")
    assert.strictEqual((await post("measure", "text/plain", "12345")).status, 400)
    assert.strictEqual((await post("measure", "image/png", "12345678901")).status, 413)
  })

  it("the method responds with the XrpcError that its handler throws, and reveals nothing of other errors", async () => {
    const ask = serverOf({ methods: [greeter("public")] })
    assert.deepStrictEqual(await saidBy(ask(`${greetPath}?name=you`)), {
      status: 403,
      error: "Rude",
      message: "Say who you are"
    })
    const failed = await textOf(ask(`${greetPath}?name=bug`))
    assert.include(failed, "InternalServerError")
    assert.notInclude(failed, "secret")
  })

  it("the method accepts exactly the callers in its access", async () => {
    const { authorization, did } = await newPerson()
    const headers = { nobody: {}, admin, account: { authorization } }
    const answers = async (access: XrpcMethod["access"]) => {
      const ask = serverOf({ methods: [greeter(access)] })
      const given = Object.entries(headers).map(async ([who, sent]) => {
        const answer = await saidBy(ask(`${greetPath}?name=bob`, { headers: sent }))
        return [who, answer["status"] === 200 ? answer["caller"] : answer["error"]]
      })
      return Object.fromEntries(await Promise.all(given)) as unknown
    }
    const anyone = "anyone"
    assert.deepStrictEqual(await answers("public"), {
      nobody: anyone,
      admin: anyone,
      account: anyone
    })
    assert.deepStrictEqual(await answers("admin"), {
      nobody: "AuthMissing",
      admin: "admin",
      account: "AuthenticationRequired"
    })
    assert.deepStrictEqual(await answers({ account: "full" }), {
      nobody: "AuthMissing",
      admin: "InvalidToken",
      account: "account"
    })
    const ask = serverOf({ methods: [greeter({ account: "standard" })] })
    const called = await ask(`${greetPath}?name=bob`, { headers: { authorization } })
    assert.include(called.headers.get("cache-control"), "private")
    assert.deepInclude(await called.json<object>(), { caller: "account", did })
  })

  it("the method rejects a session that ends while the body is on its way", async () => {
    const { authorization, did } = await newPerson()
    let calls = 0
    const handler: XrpcMethod["handler"] = () => Response.json((calls += 1))
    const ask = serverOf({ methods: [{ lexicon: keep, access: { account: "standard" }, handler }] })
    const status = async (meanwhile: () => Promise<unknown>) => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
      const writer = writable.getWriter()
      const bytes = new TextEncoder().encode(JSON.stringify({ link: { $link: cid } }))
      const headers = { authorization, "content-type": "application/json" }
      const answer = ask("/xrpc/com.example.keep", { method: "POST", headers, body: readable })
      await writer.write(bytes.slice(0, 5))
      await meanwhile()
      await writer.write(bytes.slice(5))
      await writer.close()
      return (await answer).status
    }
    assert.strictEqual(await status(async () => {}), 200)
    const change = () =>
      ask("/xrpc/com.atproto.admin.updateAccountPassword", {
        method: "POST",
        headers: { ...admin, "content-type": "application/json" },
        body: JSON.stringify({ did, password: "another long password" })
      })
    assert.strictEqual(await status(change), 400)
    assert.strictEqual(calls, 1)
  })

  it("the method accepts service auth for itself and for no other method", async () => {
    const { authorization, did } = await newPerson()
    const ask = serverOf({ methods: [greeter("service")] })
    const callWith = async (lxm: string) => {
      const query = new URLSearchParams({ aud: serviceDid, lxm })
      const made = await ask(`/xrpc/com.atproto.server.getServiceAuth?${query}`, {
        headers: { authorization }
      })
      const { token } = await made.json<{ token: string }>()
      const sent = { authorization: `Bearer ${token}` }
      return saidBy(ask(`${greetPath}?name=bob`, { headers: sent }))
    }
    assert.deepInclude(await callWith("com.example.greet"), { caller: "service", did })
    const refused = await callWith("com.example.other")
    assert.deepInclude(refused, { status: 401, error: "BadJwtLexiconMethod" })
    const bare = await saidBy(ask(`${greetPath}?name=bob`, { headers: { authorization } }))
    assert.isAtLeast(Number(bare["status"]), 400)
  })

  it("the method requires an OAuth app's permission", async () => {
    const { did } = await newPerson()
    const scopes = {
      held: `atproto rpc:com.example.greet?aud=${serviceDid}%23atproto_pds`,
      elsewhere: "atproto rpc:com.example.greet?aud=did:web:other.example%23atproto_pds",
      none: "atproto"
    }
    const answers = async (apps: "permission" | "any" | "none") => {
      const ask = serverOf({ methods: [greeter({ account: "full", apps })] })
      const found: Record<string, unknown> = {}
      for (const [name, scope] of Object.entries(scopes)) {
        const app = await publicApp(appServer(ask), scope)
        const { access_token: token } = await app.signIn(did)
        const answer = await app.call("com.example.greet?name=bob", token, { method: "GET" })
        found[name] = answer.status === 200 ? answer.body["did"] : answer.body["error"]
      }
      return found
    }
    assert.deepStrictEqual(await answers("permission"), {
      held: did,
      elsewhere: "ScopeMissingError",
      none: "ScopeMissingError"
    })
    assert.deepStrictEqual(await answers("any"), { held: did, elsewhere: did, none: did })
    const refused = { held: "Forbidden", elsewhere: "Forbidden", none: "Forbidden" }
    assert.deepStrictEqual(await answers("none"), refused)
  })

  it("the method goes to another service if the caller names one", async () => {
    const ask = serverOf({ methods: [greeter("public")] })
    const headersOf = (did: string) => ({ headers: { "atproto-proxy": `${did}#other` } })
    const here = await ask(`${greetPath}?name=bob`, headersOf(serviceDid))
    assert.strictEqual(here.status, 200)
    const elsewhere = await ask(`${greetPath}?name=bob`, headersOf("did:web:other.example"))
    assert.strictEqual(elsewhere.status, 401)
  })

  it("the method has its own limits for each address", async () => {
    const limits = [{ limit: 2, windowSeconds: 60 }]
    const env = { ...bindings, RATE_LIMITS: "on" }
    const ask = serverOf({ methods: [{ ...greeter("public"), limits }] }, env)
    const from = (address: string) =>
      ask(`${greetPath}?name=bob`, { headers: { "cf-connecting-ip": address } })
    const statuses = [
      await from("203.0.113.7"),
      await from("203.0.113.7"),
      await from("203.0.113.7")
    ]
    assert.deepStrictEqual(
      statuses.map(({ status }) => status),
      [200, 200, 429]
    )
    assert.strictEqual((await from("203.0.113.8")).status, 200)
  })

  it("creating the server fails for a method that can't be served", () => {
    const made = (method: object) => () =>
      createNacre({ methods: [{ ...greeter("public"), ...method } as XrpcMethod] })
    assert.throws(made({ access: undefined }), "does not say who may call it")
    assert.throws(made({ access: { account: "some" } }), "does not say who may call it")
    assert.throws(
      made({ lexicon: { ...greet, id: "com.atproto.repo.getRecord" } }),
      "the server's own"
    )
    assert.throws(made({ lexicon: { ...greet, id: "com.atproto.new.thing" } }), "the protocol")
    assert.throws(
      made({ lexicon: { ...greet, id: "app.bsky.actor.getPreferences" } }),
      "the server's own"
    )
    assert.throws(made({ lexicon: { ...greet, defs: {} } }), "a query or a procedure")
    const bad = { main: { ...greet.defs.main, parameters: { type: "object" } } }
    assert.throws(made({ lexicon: { ...greet, defs: bad } }), "not valid at defs.main.parameters")
    const open = {
      main: {
        type: "query",
        output: { encoding: "a/b", schema: { type: "ref", ref: "com.example.defs#x" } }
      }
    }
    assert.throws(made({ lexicon: { ...greet, defs: open } }), "refers to com.example.defs#x")
    assert.throws(
      () => createNacre({ methods: [greeter("public"), greeter("admin")] as never }),
      "given twice"
    )
  })
})

describe("lexicons that a Worker adds", () => {
  const lexicon = {
    lexicon: 1,
    id: "com.example.note",
    defs: {
      main: {
        type: "record",
        key: "tid",
        record: { type: "object", required: ["text"], properties: { text: { type: "string" } } }
      }
    }
  }

  it("added lexicons validate the records of their collections", async () => {
    const { did, authorization } = await newPerson()
    const { Account } = createNacre<Bindings>({ lexicons: [lexicon] })
    await runInDurableObject(objectOf(did), async (_object, state) => {
      const account = new Account(state, bindings)
      const write = async (record: object) => {
        const answer = await account.fetch?.(
          new Request(`${origin}/xrpc/com.atproto.repo.createRecord`, {
            method: "POST",
            headers: { authorization, "content-type": "application/json" },
            body: JSON.stringify({ repo: did, collection: lexicon.id, record })
          })
        )
        const body = await answer?.json<Record<string, unknown>>()
        return body?.["validationStatus"] ?? body?.["message"]
      }
      assert.strictEqual(await write({ text: "hello" }), "valid")
      assert.include(String(await write({ text: 1 })), "Invalid com.example.note record: text")
    })
  })
})
