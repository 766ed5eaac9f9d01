import { basic, bearer, startHost } from "./httpHost.ts"
import { moderatorToken } from "./httpModerator.ts"
import { credentialScopes } from "../../../src/core/oauth/credentialScope.ts"
import { ownToken, scopedSession } from "./httpScoped.ts"
import { ok, type Person, serviceToken, session, signUp, type World } from "./httpWorld.ts"

/** A kind of credential: the account of the call, and the `Authorization` header for a method. */
export interface Credential {
  readonly about: (world: World) => Person
  readonly header: (world: World, nsid: string) => Promise<string | undefined>
}

const ofAlice = (header: Credential["header"]): Credential => ({
  about: ({ alice }) => alice,
  header
})

const access = (level: "full" | "privileged" | "standard") =>
  ofAlice(async (world) => bearer((await session(world, world.alice.did, level)).accessJwt))

const service = (claims: (nsid: string) => { readonly aud?: string; readonly lxm: string }) =>
  ofAlice(async (world, nsid) => bearer(await serviceToken(world, world.alice.did, claims(nsid))))

/** Tokens for the same DID on a server with another master key. */
const elsewhere = async (): Promise<string> => {
  const host = await startHost({ MASTER_KEY: Buffer.alloc(32, 9).toString("base64url") })
  const { auth } = await signUp(host, "alice")
  await host.close()
  return auth
}

const readers = new WeakMap<World, Promise<string>>()

/** An access token of Alice's that may only read; one for each world. */
const readToken = (world: World): Promise<string> => {
  const made =
    readers.get(world) ??
    ownToken(world, world.alice.did, { name: "reader", scope: credentialScopes.read })
  readers.set(world, made)
  return made
}

let foreign: Promise<string> | undefined

/** Every kind of credential. */
export const credentials = {
  nothing: ofAlice(async () => undefined),
  full: access("full"),
  privileged: access("privileged"),
  standard: access("standard"),
  readOnly: ofAlice(async (world) => {
    const { did } = world.alice
    const app = { name: `reader ${world.next()}`, scope: credentialScopes.read }
    return bearer((await scopedSession(world, did, app)).accessJwt)
  }),
  readToken: ofAlice(async (world) => bearer(await readToken(world))),
  takendown: {
    about: ({ carol }) => carol,
    header: async (world) => bearer((await session(world, world.carol.did, "takendown")).accessJwt)
  },
  fullBeforeTakedown: {
    about: ({ carol }) => carol,
    header: async ({ carol }) => carol.auth
  },
  nothingForTakendown: { about: ({ carol }) => carol, header: async () => undefined },
  deactivated: { about: ({ dora }) => dora, header: async ({ dora }) => dora.auth },
  nothingForDeactivated: { about: ({ dora }) => dora, header: async () => undefined },
  expired: ofAlice(async (world) => {
    world.advance(-3 * 3_600_000)
    const { accessJwt } = await session(world, world.alice.did, "full")
    world.advance(3 * 3_600_000)
    return bearer(accessJwt)
  }),
  refresh: ofAlice(async (world) =>
    bearer((await session(world, world.alice.did, "full")).refreshJwt)
  ),
  revoked: ofAlice(async (world) => {
    const { accessJwt, refreshJwt } = await session(world, world.alice.did, "full")
    const end = { method: "POST", auth: bearer(refreshJwt) }
    ok(await world.call("com.atproto.server.deleteSession", end))
    return bearer(accessJwt)
  }),
  otherAccount: ofAlice(async ({ bob }) => bob.auth),
  otherServer: ofAlice(() => (foreign ??= elsewhere())),
  garbage: ofAlice(async () => "Bearer garbage"),
  service: service((lxm) => ({ lxm })),
  serviceOtherMethod: service(() => ({ lxm: "com.atproto.repo.importRepo" })),
  serviceOtherAudience: service((lxm) => ({ lxm, aud: "did:web:elsewhere.com" })),
  moderator: ofAlice(async (world, nsid) => bearer(await moderatorToken(world, nsid))),
  admin: ofAlice(async () => basic()),
  wrongAdmin: ofAlice(async () => basic("not the password")),
  dpop: ofAlice(async ({ alice }) => alice.auth.replace("Bearer", "DPoP"))
} satisfies Record<string, Credential>

/** The name of a kind of credential. */
export type CredentialName = keyof typeof credentials
