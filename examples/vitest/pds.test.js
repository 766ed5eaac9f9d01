import { AtpAgent } from "@atproto/api"
import { startPds } from "nacre/testing"
import { afterAll, beforeAll, expect, test } from "vitest"

let pds

beforeAll(async () => {
  pds = await startPds({ accounts: ["alice", "bob"] })
})
afterAll(() => pds.stop())

const signIn = async ({ handle, password }) => {
  const agent = new AtpAgent({ service: pds.url })
  await agent.login({ identifier: handle, password })
  return agent
}

test("alice posts, and the stream says so", async () => {
  const agent = await signIn(pds.accounts.alice)
  const { uri } = await agent.post({ text: "hello", createdAt: new Date().toISOString() })
  for await (const message of pds.events()) {
    if (message.type !== "commit" || message.did !== pds.accounts.alice.did) continue
    if (message.ops.some(({ path }) => uri.endsWith(path))) break
  }
})

test("bob gets a code to reset his password", async () => {
  const { email } = pds.accounts.bob
  await pds.call("com.atproto.server.requestPasswordReset", { input: { email } })
  expect((await pds.mailTo(email, "reset_password")).text).toMatch(/[A-Z0-9]{5}-[A-Z0-9]{5}/)
})
