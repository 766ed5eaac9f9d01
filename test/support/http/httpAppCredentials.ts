import * as Effect from "effect/Effect"
import { OAuthSessions } from "../../../src/services/oauth/OAuthSessions.ts"
import { makeKey } from "../../oauth/tokens/signing.ts"
import { type LetIn, letIn, useUp, withApp } from "./httpApps.ts"
import { type Asked, bearer } from "./httpHost.ts"
import type { Person, World } from "./httpWorld.ts"

/** A kind of app credential: the account of the call, and the call with the credential. */
export interface AppCredential {
  readonly about: (world: World) => Person
  readonly use: (world: World, nsid: string, asked: Asked) => Promise<Asked>
}

type Use = (world: World, app: LetIn, nsid: string, asked: Asked) => Promise<Asked>

const generic = "atproto transition:generic"

/** An authorized app with the given scope, and its call. */
const app = (
  granted: string,
  use: Use = withApp,
  about: AppCredential["about"] = ({ alice }) => alice
): AppCredential => ({
  about,
  use: async (world, nsid, asked) =>
    use(world, await letIn(world, about(world).did, granted), nsid, asked)
})

const withClaims = (claims: object): Use => {
  return (world, letIn, nsid, asked) => withApp(world, letIn, nsid, asked, { claims })
}

/** Every kind of app credential. */
export const appCredentials = {
  oauthAtproto: app("atproto"),
  oauthGeneric: app(generic),
  oauthRepoPost: app("atproto repo:app.bsky.feed.post"),
  oauthBlob: app("atproto blob:image/*"),
  oauthRpc: app("atproto rpc:com.atproto.repo.uploadBlob?aud=*"),
  oauthAccount: app(
    "atproto account:email account:repo?action=manage account:status?action=manage identity:*"
  ),
  oauthTakendown: app(generic, withApp, ({ carol }) => carol),
  oauthDeactivated: app(generic, withApp, ({ dora }) => dora),
  oauthExpired: {
    about: ({ alice }) => alice,
    use: async (world, nsid, asked) => {
      world.advance(-900_000)
      const letInThen = await letIn(world, world.alice.did, generic)
      world.advance(900_000)
      return withApp(world, letInThen, nsid, asked)
    }
  },
  oauthRevoked: app(generic, async (world, app, nsid, asked) => {
    const end = Effect.flatMap(OAuthSessions, (sessions) => sessions.end(app.session))
    await world.inside(app.did, end)
    return withApp(world, app, nsid, asked)
  }),
  oauthAsBearer: app(generic, async (world, app, nsid, asked) => ({
    ...(await withApp(world, app, nsid, asked)),
    auth: bearer(app.accessToken)
  })),
  oauthRefreshToken: app(generic, async (world, app, nsid, asked) =>
    withApp(world, { ...app, accessToken: app.refreshToken }, nsid, asked)
  ),
  oauthNoProof: app(generic, async (_, { accessToken }, _nsid, asked) => ({
    ...asked,
    auth: `DPoP ${accessToken}`
  })),
  oauthOldNonce: app(generic, withClaims({ nonce: "old" })),
  oauthOtherKey: app(generic, async (world, app, nsid, asked) =>
    withApp(world, app, nsid, asked, { key: await makeKey("ES256") })
  ),
  oauthOtherCall: app(generic, withClaims({ htm: "PUT" })),
  oauthReplayed: app(generic, async (world, app, nsid, asked) => {
    const used = await withApp(world, app, nsid, asked)
    await useUp(world, app, nsid, used)
    return used
  })
} satisfies Record<string, AppCredential>

/** The name of a kind of app credential. */
export type AppCredentialName = keyof typeof appCredentials
