import { createHash, randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import { calculateJwkThumbprint } from "jose"
import { authenticate } from "../../../src/services/sessions/Auth.ts"
import { DpopProofs } from "../../../src/services/oauth/DpopProofs.ts"
import { OAuthSessions } from "../../../src/services/oauth/OAuthSessions.ts"
import { makeKey, sign, type SigningKey } from "../../oauth/tokens/signing.ts"
import { type Asked, type Host, origin } from "./httpHost.ts"

/** An authorized app: its token, and the key that the token is bound to. */
export interface LetIn {
  readonly did: string
  readonly session: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly key: SigningKey
}

let key: Promise<SigningKey> | undefined

/** Authorizes an app without its sign-in: the tokens of a session with this scope. */
export const letIn = async (host: Host, did: string, granted: string): Promise<LetIn> => {
  const dpop = await (key ??= makeKey("ES256"))
  const session = `ses-${randomUUID()}`
  const jkt = await calculateJwkThumbprint(dpop.publicJwk)
  const { accessToken, refreshToken } = await host.inside(
    did,
    Effect.flatMap(OAuthSessions, (sessions) =>
      sessions.open(did, {
        id: session,
        clientId: "https://app.example.com/client.json",
        clientAuth: { method: "none" },
        jkt,
        scope: granted,
        granted,
        device: "dev-of-the-tests",
        refreshable: true,
        // Later than every session's end, for tests that turn the clock back.
        agreedAt: host.now() + 3_600_000
      })
    )
  )
  return { did, session, accessToken, refreshToken: refreshToken!, key: dpop }
}

/** The HTTP method of a request. */
export const methodOf = ({ method, input, body }: Asked): string =>
  method ?? (input === undefined && body === undefined ? "GET" : "POST")

/** A DPoP proof for one call with an access token, with optional changes. */
export const proofOf = async (
  host: Host,
  { did, accessToken, key }: LetIn,
  nsid: string,
  asked: Asked,
  change: { readonly key?: SigningKey; readonly header?: object; readonly claims?: object } = {}
): Promise<string> => {
  const by = change.key ?? key
  const nonce = await host.inside(
    did,
    Effect.map(DpopProofs, (proofs) => proofs.nonce(host.now()))
  )
  return sign(
    by,
    { alg: "ES256", typ: "dpop+jwt", jwk: by.publicJwk, ...change.header },
    {
      jti: randomUUID(),
      htm: methodOf(asked),
      htu: `${origin}/xrpc/${nsid}`,
      iat: Math.floor(host.now() / 1000),
      nonce,
      ath: createHash("sha256").update(accessToken).digest("base64url"),
      ...change.claims
    }
  )
}

/** The call with an app's credentials. */
export const withApp = async (
  host: Host,
  app: LetIn,
  nsid: string,
  asked: Asked = {},
  change: Parameters<typeof proofOf>[4] = {}
): Promise<Asked> => ({
  ...asked,
  auth: `DPoP ${app.accessToken}`,
  headers: { ...asked.headers, dpop: await proofOf(host, app, nsid, asked, change) }
})

/** Uses up a proof with a call that changes nothing. */
export const useUp = async (host: Host, app: LetIn, nsid: string, asked: Asked): Promise<void> => {
  const credentials = {
    authorization: asked.auth!,
    dpop: asked.headers!["dpop"]!,
    method: methodOf(asked),
    url: `${origin}/xrpc/${nsid}`
  }
  const authority = { kind: "session", level: "standard", oauth: "any" } as const
  await host.inside(app.did, authenticate(credentials, authority, nsid))
}
