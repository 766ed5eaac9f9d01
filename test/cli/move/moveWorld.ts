import { AtpAgent } from "@atproto/api"
import { assert } from "@effect/vitest"
import { adminOf, png, post, signUp } from "../../support/server/serverPeople.ts"
import type { TestServer } from "../../support/server/server.ts"
import { startMemory } from "../../support/server/serverMemory.ts"
import { type Desk, makeDesk } from "../command.ts"

/** Two servers of this project with keys of their own, which share a PLC directory, and somebody's desk. */
export interface Two {
  readonly one: TestServer
  readonly two: TestServer
  readonly desk: Desk
  stop(): Promise<void>
}

/** Starts both; handles end in `.test` and `.two.test`. */
export const startTwo = async (): Promise<Two> => {
  const one = await startMemory({ PLC_ROTATION_KEY: "01".repeat(32) })
  const beside = await startMemory({
    PLC_ROTATION_KEY: "02".repeat(32),
    PLC_URL: one.plcUrl,
    DEV_ALLOW_HOSTS: new URL(one.plcUrl).host,
    HANDLE_DOMAINS: "two.test",
    INVITE_REQUIRED: "off"
  })
  // The directory that it has beside it is not the one that it was told to use.
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

/** Somebody at the first server, with posts and pictures. */
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

/** The new server's password of everybody who moves. */
export const newPassword = "another password"

/** What somebody types to move in at the second server, and what stands in their environment. */
export const migration = (
  { one, two }: Two,
  { did, password }: { readonly did: string; readonly password: string },
  from = one.publicUrl
) => ({
  args: ["migrate", `--account=${did}`, `--from=${from}`, `--server=${two.publicUrl}`, "--json"],
  env: { PLC_URL: one.plcUrl, NACRE_PASSWORD: password, NACRE_NEW_PASSWORD: newPassword }
})

/** Has a code made by which a server lets a DID go, and reads it as the administrator. */
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

/** Somebody at a server, signed in. */
export const signedInAt = async (
  server: TestServer,
  { did, password }: { readonly did: string; readonly password: string }
): Promise<AtpAgent> => {
  const agent = new AtpAgent({ service: server.publicUrl })
  await agent.login({ identifier: did, password })
  return agent
}

/** Who may change a DID, the mightiest first. */
export const rotationKeysOf = async ({ one }: Two, did: string): Promise<ReadonlyArray<string>> => {
  const answer = await fetch(`${one.plcUrl}/${did}/data`)
  return ((await answer.json()) as { rotationKeys: ReadonlyArray<string> }).rotationKeys
}

/** The account lives whole at a server: its DID leads there, records and pictures are there. */
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
