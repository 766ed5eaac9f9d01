import { AtpAgent } from "@atproto/api"
import { IdResolver } from "@atproto/identity"
import type { TestServer } from "./server.ts"

/** A person with an account and the official client's session. */
export interface Person {
  readonly agent: AtpAgent
  readonly did: string
  readonly handle: string
  readonly password: string
}

/**
 * The official resolver, with the platform's fetch: its own rejects http and this machine's
 * addresses.
 */
export const resolverOf = (server: TestServer): IdResolver =>
  new IdResolver({ plcUrl: server.plcUrl, fetch: globalThis.fetch })

/** The did:key with which an account signs, from its DID document. */
export const signingKeyOf = (server: TestServer, did: string): Promise<string> =>
  resolverOf(server).did.resolveAtprotoKey(did, true)

/** The administrator's credentials. */
export const adminOf = (server: TestServer) => ({
  headers: {
    authorization: `Basic ${Buffer.from(`admin:${server.account.adminPassword}`).toString("base64")}`
  }
})

/** Signs up with an invite code, as people do; the account gets a did:plc. */
export const signUp = async (server: TestServer, name: string): Promise<Person> => {
  const agent = new AtpAgent({ service: server.publicUrl })
  const invite = await agent.com.atproto.server.createInviteCode(
    { useCount: 1 },
    { ...adminOf(server), encoding: "application/json" }
  )
  const handle = `${name}.test`
  const password = `the password of ${name}`
  const email = `${name}@example.com`
  const inviteCode = invite.data.code
  const { data } = await agent.createAccount({ handle, email, password, inviteCode })
  return { agent, did: data.did, handle, password }
}

/** Signs in to the server's first account. */
export const signIn = async (server: TestServer): Promise<Person> => {
  const agent = new AtpAgent({ service: server.publicUrl })
  const { did, handle, password } = server.account
  await agent.login({ identifier: handle, password })
  return { agent, did, handle, password }
}

/** The smallest PNG, with trailing bytes that distinguish it. */
export const png = (more: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(
    Buffer.concat([
      Buffer.from(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        "base64"
      ),
      Buffer.from(more)
    ])
  )

/** A post with the current time. */
export const post = (text: string) => ({
  $type: "app.bsky.feed.post" as const,
  text,
  createdAt: new Date().toISOString()
})
