import { AtpAgent } from "@atproto/api"
import { IdResolver } from "@atproto/identity"
import type { TestServer } from "./server.ts"

/** Somebody with an account, signed in with the official client. */
export interface Person {
  readonly agent: AtpAgent
  readonly did: string
  readonly handle: string
  readonly password: string
}

/** The official resolver; it refuses http and this machine's addresses unless it is given a fetch. */
export const resolverOf = (server: TestServer): IdResolver =>
  new IdResolver({ plcUrl: server.plcUrl, fetch: globalThis.fetch })

/** The did:key that an account signs with, by its DID document. */
export const signingKeyOf = (server: TestServer, did: string): Promise<string> =>
  resolverOf(server).did.resolveAtprotoKey(did, true)

/** The administrator's credentials. */
export const adminOf = (server: TestServer) => ({
  headers: {
    authorization: `Basic ${Buffer.from(`admin:${server.account.adminPassword}`).toString("base64")}`
  }
})

/** Signs up with an invite code, as people do; the DID becomes a did:plc. */
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

/** The account that the server began with, signed in. */
export const signIn = async (server: TestServer): Promise<Person> => {
  const agent = new AtpAgent({ service: server.publicUrl })
  const { did, handle, password } = server.account
  await agent.login({ identifier: handle, password })
  return { agent, did, handle, password }
}

/** The smallest PNG there is, and bytes after its end that make it differ from others. */
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

/** A post's text now. */
export const post = (text: string) => ({
  $type: "app.bsky.feed.post" as const,
  text,
  createdAt: new Date().toISOString()
})
