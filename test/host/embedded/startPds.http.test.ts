import { assert, describe, it } from "@effect/vitest"
import { AtpAgent } from "@atproto/api"
import { onTestFinished } from "vitest"
import { startPds, XrpcError } from "../../../src/testing.ts"

const greet = {
  lexicon: 1,
  id: "com.example.greet",
  defs: {
    main: {
      type: "query",
      parameters: { type: "params", required: ["name"], properties: { name: { type: "string" } } },
      output: {
        encoding: "application/json",
        schema: { type: "object", required: ["text"], properties: { text: { type: "string" } } }
      }
    }
  }
} as const

/** Starts a PDS that stops when the test ends. Node 22 does not parse `await using` yet. */
const start: typeof startPds = async (options) => {
  const pds = await startPds(options)
  onTestFinished(() => pds[Symbol.asyncDispose]())
  return pds
}

describe("startPds", () => {
  it("startPds serves accounts with sessions to the official client, and the stream of their writes", async () => {
    const pds = await start({ accounts: ["alice", "bob"] })
    const { alice, bob } = pds.accounts
    const agent = new AtpAgent({ service: pds.url })
    await agent.login({ identifier: alice.handle, password: alice.password })
    const { uri } = await agent.post({ text: "hello", createdAt: new Date().toISOString() })
    const { did } = await pds.call<{ did: string }>("com.atproto.server.getSession", { as: bob })
    assert.strictEqual(did, bob.did)
    for await (const message of pds.events()) {
      if (message.type !== "commit" || message.did !== alice.did || message.ops.length === 0) {
        continue
      }
      assert.strictEqual(`at://${message.did}/${message.ops[0]?.path}`, uri)
      break
    }
  })

  it("startPds captures mail, and a failing call shows the server's response", async () => {
    const pds = await start({ accounts: ["carol"] })
    const { carol } = pds.accounts
    await pds.call("com.atproto.server.requestPasswordReset", { input: { email: carol.email } })
    const { to, text } = await pds.mailTo(carol.email, "reset_password")
    assert.strictEqual(to, carol.email)
    assert.match(text, /[A-Z0-9]{5}-[A-Z0-9]{5}/)
    const failure = await pds.call("com.atproto.server.getSession").then(() => "", String)
    assert.match(failure, /getSession answered 401/)
  })

  it("startPds accepts settings and methods, and several servers run at once with their own accounts", async () => {
    const first = await start({
      config: { INVITE_REQUIRED: true },
      methods: [
        {
          lexicon: greet,
          access: "public",
          handler: ({ params }) => {
            if (params["name"] === "nobody") throw new XrpcError("NoSuchName", "Nobody is nobody")
            return { text: `Hello ${String(params["name"])}` }
          }
        }
      ]
    })
    const second = await start({ accounts: ["alice"] })
    assert.notStrictEqual(first.url, second.url)
    const answer = await first.call("com.example.greet", { params: { name: "you" } })
    assert.deepStrictEqual(answer, { text: "Hello you" })
    const failure = await first
      .call("com.example.greet", { params: { name: "nobody" } })
      .then(() => "", String)
    assert.match(failure, /400.*NoSuchName/)
    const { inviteCodeRequired } = await first.call<{ inviteCodeRequired: boolean }>(
      "com.atproto.server.describeServer"
    )
    assert.isTrue(inviteCodeRequired)
    const repos = await first.call<{ repos: Array<unknown> }>("com.atproto.sync.listRepos")
    assert.deepStrictEqual(repos.repos, [])
  })
})
