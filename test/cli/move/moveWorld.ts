import { AtpAgent } from "@atproto/api"
import { assert } from "@effect/vitest"
import { adminOf, png, post, signUp } from "../../support/server/serverPeople.ts"
import type { TestServer } from "../../support/server/server.ts"
import { startMemory } from "../../support/server/serverMemory.ts"
import { type Desk, makeDesk } from "../command.ts"

/** Two Nacre servers with keys of their own, which share a PLC directory, and a desk. */
export interface Two {
  readonly one: TestServer
  readonly two: TestServer
  readonly desk: Desk
  stop(): Promise<void>
}

/** Starts both servers; handles end in `.test` and `.two.test`. */
export const startTwo = async (): Promise<Two> => {
  const one = await startMemory({ PLC_ROTATION_KEY: "01".repeat(32) })
  const beside = await startMemory({
    PLC_ROTATION_KEY: "02".repeat(32),
    PLC_URL: one.plcUrl,
    DEV_ALLOW_HOSTS: new URL(one.plcUrl).host,
    HANDLE_DOMAINS: "two.test",
    INVITE_REQUIRED: "off"
  })
  // The second server's own directory isn't the shared one.
  const two = { ...beside, plcUrl: one.plcUrl }
  const desk = makeDesk()
  return {
    one,
    two,
    desk,
    stop: async () => {
      desk.remove()
      await Promise.all([one.stop(), two.stop()])
    }
  }
}

/** A person at the first server, with posts and pictures. */
export const newMover = async ({ one }: Two, name: string) => {
  const person = await signUp(one, name)
  const { agent } = person
  for (const text of ["one", "two", "three"]) {
    const { data } = await agent.uploadBlob(png(`${name} ${text}`), { encoding: "image/png" })
    const images = [{ image: data.blob, alt: text }]
    await agent.post({ text, embed: { $type: "app.bsky.embed.images", images } })
  }
  await agent.post(post("without a picture"))
  return person
}

/** Everybody's password at the new server. */
export const newPassword = "another password"

/** The arguments and environment for a move to the second server. */
export const migration = (
  { one, two }: Two,
  { did, password }: { readonly did: string; readonly password: string },
  from = one.publicUrl
) => ({
  args: ["migrate", `--account=${did}`, `--from=${from}`, `--server=${two.publicUrl}`, "--json"],
  env: { PLC_URL: one.plcUrl, NACRE_PASSWORD: password, NACRE_NEW_PASSWORD: newPassword }
})

/** Requests a code for the DID's operation, and reads it as the administrator. */
export const codeAt = async (server: TestServer, agent: AtpAgent): Promise<string> => {
  await agent.com.atproto.identity.requestPlcOperationSignature()
  const did = agent.assertDid
  const answer = await fetch(
    `${server.url}/admin/codes?account=${encodeURIComponent(did)}`,
    adminOf(server)
  )
  const { codes } = (await answer.json()) as { codes: ReadonlyArray<{ readonly code: string }> }
  return codes.at(-1)!.code
}

/** A signed-in session at a server. */
export const signedInAt = async (
  server: TestServer,
  { did, password }: { readonly did: string; readonly password: string }
): Promise<AtpAgent> => {
  const agent = new AtpAgent({ service: server.publicUrl })
  await agent.login({ identifier: did, password })
  return agent
}

/** A DID's rotation keys, highest authority first. */
export const rotationKeysOf = async ({ one }: Two, did: string): Promise<ReadonlyArray<string>> => {
  const answer = await fetch(`${one.plcUrl}/${did}/data`)
  return ((await answer.json()) as { rotationKeys: ReadonlyArray<string> }).rotationKeys
}

/** Asserts that an account is complete at a server: DID, records and pictures. */
export const assertLives = async (server: TestServer, agent: AtpAgent, records: number) => {
  const { data } = await agent.com.atproto.server.checkAccountStatus()
  assert.deepInclude(data, {
    activated: true,
    validDid: true,
    indexedRecords: records,
    expectedBlobs: 3,
    importedBlobs: 3
  })
  const { data: described } = await agent.com.atproto.repo.describeRepo({ repo: agent.assertDid })
  // SAFETY: a DID document has services.
  const { service } = described.didDoc as unknown as {
    service: ReadonlyArray<{ readonly serviceEndpoint: string }>
  }
  assert.strictEqual(service[0]?.serviceEndpoint, server.publicUrl)
}
