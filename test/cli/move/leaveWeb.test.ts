import { AtpAgent } from "@atproto/api"
import { Secp256k1Keypair } from "@atproto/crypto"
import { createServiceJwt } from "@atproto/xrpc-server"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { createServer, type Server } from "node:http"
import { freePort, type TestServer } from "../../support/server/server.ts"
import { startMemory } from "../../support/server/serverMemory.ts"
import { post } from "../../support/server/serverPeople.ts"
import { makeDidDocument } from "../../../src/core/identity/didDocument.ts"
import { type Desk, makeDesk } from "../command.ts"

const password = "the password of wes"

describe("an account whose DID is a did:web elsewhere", () => {
  let document: unknown
  let did: string
  let host: Server
  let one: TestServer
  let two: TestServer
  let desk: Desk
  beforeAll(async () => {
    const port = await freePort()
    did = `did:web:localhost%3A${port}`
    host = createServer((_, response) => response.end(JSON.stringify(document)))
    await new Promise<void>((resolve) => host.listen(port, "127.0.0.1", resolve))
    const env = { DEV_ALLOW_HOSTS: `localhost:${port}`, INVITE_REQUIRED: "off" }
    one = await startMemory({ ...env, HANDLE_DOMAINS: "one.test" })
    two = await startMemory({ ...env, HANDLE_DOMAINS: "two.test" })
    desk = makeDesk()
  })
  afterAll(async () => {
    desk.remove()
    host.close()
    await Promise.all([one.stop(), two.stop()])
  })

  /** Creates the account at the first server with a token signed by the DID's own key. */
  const settle = async () => {
    const keypair = await Secp256k1Keypair.create()
    document = makeDidDocument({ did, alsoKnownAs: [], keys: { atproto: keypair.did() } })
    const agent = new AtpAgent({ service: one.publicUrl })
    const { data } = await agent.com.atproto.server.describeServer()
    const lxm = "com.atproto.server.createAccount"
    const token = await createServiceJwt({ iss: did, aud: data.did, lxm, keypair })
    await agent.com.atproto.server.createAccount(
      {
        did: did as "did:web:localhost",
        handle: "wes.one.test",
        email: "wes@example.com",
        password
      },
      { headers: { authorization: `Bearer ${token}` }, encoding: "application/json" }
    )
    await agent.login({ identifier: did, password })
    const { data: wanted } = await agent.com.atproto.identity.getRecommendedDidCredentials()
    document = makeDidDocument({
      did,
      alsoKnownAs: wanted.alsoKnownAs ?? [],
      keys: wanted.verificationMethods as Record<string, string>,
      services: wanted.services as Record<string, { type: string; endpoint: string }>
    })
    await agent.com.atproto.server.activateAccount()
    return agent
  }

  it("a did:web account moves once its owner has published the document that the command shows", async () => {
    const agent = await settle()
    await agent.post(post("before"))
    const args = [
      "leave",
      `--to=${two.publicUrl}`,
      `--server=${one.publicUrl}`,
      `--account=${did}`,
      "--json"
    ]
    const env = { NACRE_PASSWORD: password, NACRE_NEW_PASSWORD: "another password" }
    const halted = await desk.run(args, env)
    assert.strictEqual(halted.code, 1)
    const shown = /Replace its document with:\n(\{[\s\S]*?\n\})/.exec(halted.stderr)?.[1]
    assert.isTrue((await agent.com.atproto.sync.getRepoStatus({ did })).data.active)
    document = JSON.parse(shown ?? "{}")
    const moved = await desk.run(args, env)
    assert.strictEqual(moved.code, 0, moved.stderr)
    assert.deepInclude(moved.json, {
      did,
      handle: "wes.two.test",
      activated: true,
      validDid: true,
      records: 1
    })
    assert.isFalse((await agent.com.atproto.sync.getRepoStatus({ did })).data.active)
  })
})
