import { AtpAgent } from "@atproto/api"
import { verifyRepoCar } from "@atproto/repo"
import { assert } from "@effect/vitest"
import { startMemory } from "../support/server/serverMemory.ts"
import { startWorker, type TestServer } from "../support/server/server.ts"
import { png, post, signingKeyOf } from "../support/server/serverPeople.ts"
import { type Plc, type Reference, sharedPlc, sharedReference } from "./peers.ts"

/** The reference PDS and a Nacre server, which share a PLC directory. Its end is only the Nacre server's. */
export interface World {
  readonly plc: Plc
  readonly old: Reference
  readonly nacre: TestServer
  stop(): Promise<void>
}

/** Starts a Nacre server with that PLC directory, in memory or as the real Worker. */
export const startNacre = async (
  plc: Plc,
  more: Readonly<Record<string, string>>,
  start: typeof startMemory = startMemory
): Promise<TestServer> => {
  const DEV_ALLOW_HOSTS = new URL(plc.url).host
  const nacre = await start({
    PLC_URL: plc.url,
    DEV_ALLOW_HOSTS,
    INVITE_REQUIRED: "off",
    ...more
  })
  // The server's own directory isn't the shared one.
  return { ...nacre, plcUrl: plc.url }
}

/** A world whose Nacre server, the real Worker, may fetch from the reference, as its pages do. */
export const startPagesWorld = async (): Promise<World> => {
  const [plc, old] = await Promise.all([sharedPlc(), sharedReference()])
  const hosts = [plc.url, old.publicUrl].map((url) => new URL(url).host)
  return startWorld({ DEV_ALLOW_HOSTS: hosts.join(",") }, startWorker)
}

/** Starts a Nacre server, whose handles end in `.new.test`, beside the peers of all tests. */
export const startWorld = async (
  more: Readonly<Record<string, string>> = {},
  start?: typeof startMemory
): Promise<World> => {
  const [plc, old] = await Promise.all([sharedPlc(), sharedReference()])
  const nacre = await startNacre(plc, { HANDLE_DOMAINS: "new.test", ...more }, start)
  return { plc, old, nacre, stop: nacre.stop }
}

/** A person with an account on the reference, and its content. */
export interface Mover {
  readonly did: string
  readonly name: string
  readonly email: string
  readonly password: string
  /** The session at the reference. */
  readonly agent: AtpAgent
  readonly images: ReadonlyArray<{ readonly cid: string; readonly bytes: Uint8Array }>
}

const collection = "app.bsky.feed.post"

/** Signs up at the reference, under a name that no other test has, and fills the account: posts, likes, pictures, preferences. */
export const newMover = async (
  { old }: World,
  name: string,
  { posts = 20 }: { readonly posts?: number } = {}
): Promise<Mover> => {
  const agent = new AtpAgent({ service: old.publicUrl })
  const email = `${name}@example.com`
  const password = `the password of ${name}`
  await agent.createAccount({ handle: `${name}.old.test`, email, password })
  const did = agent.assertDid
  const images = await Promise.all(
    ["one", "two", "three"].map(async (text) => {
      const bytes = png(`${name} ${text}`)
      const { data } = await agent.uploadBlob(bytes, { encoding: "image/png" })
      return { blob: data.blob, cid: data.blob.ref.toString(), bytes }
    })
  )
  const first = await agent.post({
    text: "with pictures",
    embed: {
      $type: "app.bsky.embed.images",
      images: images.map(({ blob: image }) => ({ image, alt: "one pixel" }))
    }
  })
  await agent.like(first.uri, first.cid)
  await agent.com.atproto.repo.applyWrites({
    repo: did,
    writes: Array.from({ length: posts }, (_, nth) => ({
      $type: "com.atproto.repo.applyWrites#create" as const,
      collection,
      value: post(`post ${nth}`)
    }))
  })
  await agent.app.bsky.actor.putPreferences({ preferences: [...preferencesOf(name)] })
  return { did, name, email, password, agent, images }
}

/** A person's preferences in the app. */
export const preferencesOf = (name: string) =>
  [
    { $type: "app.bsky.actor.defs#adultContentPref", enabled: true },
    { $type: "app.bsky.actor.defs#interestsPref", tags: [name] },
    { $type: "app.bsky.actor.defs#personalDetailsPref", birthDate: "1990-01-02T00:00:00.000Z" }
  ] as const

/** The service, signing key and rotation keys of a DID. */
export const plcOf = async ({ plc }: World, did: string) => {
  const answer = await fetch(`${plc.url}/${did}/data`)
  return (await answer.json()) as {
    readonly rotationKeys: ReadonlyArray<string>
    readonly verificationMethods: Readonly<Record<string, string>>
    readonly alsoKnownAs: ReadonlyArray<string>
    readonly services: Readonly<Record<string, { readonly endpoint: string }>>
  }
}

/** The valid operations of a DID. */
export const logOf = async ({ plc }: World, did: string): Promise<ReadonlyArray<object>> =>
  (await fetch(`${plc.url}/${did}/log`)).json() as Promise<ReadonlyArray<object>>

/**
 * The CIDs of an account's records, by path, from an export that the official library has verified.
 */
export const recordsOf = async (world: World, agent: AtpAgent, did: string) => {
  const { data } = await agent.com.atproto.sync.getRepo({ did })
  const { creates } = await verifyRepoCar(data, did, await signingKeyOf(world.nacre, did))
  return new Map(
    creates.map(({ collection: name, rkey, cid }) => [`${name}/${rkey}`, cid.toString()])
  )
}

/** Asserts that every picture is served unchanged. */
export const assertImages = async (
  agent: AtpAgent,
  { did, images }: Pick<Mover, "did" | "images">
) => {
  for (const { cid, bytes } of images) {
    const { data } = await agent.com.atproto.sync.getBlob({ did, cid })
    assert.deepStrictEqual(new Uint8Array(data), new Uint8Array(bytes))
  }
}
