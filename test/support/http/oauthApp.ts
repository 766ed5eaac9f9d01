import { createHash, randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import { OAuthRequests } from "../../../src/services/oauth/OAuthRequests.ts"
import { grantCode } from "../../../src/services/oauth/authorize.ts"
import { makeKey, sign, type SigningKey } from "../../oauth/tokens/signing.ts"
import type { Answered, Asked, Host } from "./httpHost.ts"

/** The server that an app calls, with access to its inside. */
export interface AppServer extends Pick<Host, "ask" | "beneath" | "now"> {
  /** Default: the origin of the host under test. */
  readonly origin?: string
}

/** A random text, as apps generate them. */
export const random = (): string => randomBytes(24).toString("base64url")

/** The S256 challenge of a verifier. */
export const challengeOf = (verifier: string): string =>
  createHash("sha256").update(verifier).digest("base64url")

/** The parameters of a request; undefined ones are omitted. */
export type Fields = Readonly<Record<string, string | undefined>>

/** Changes to a proof. */
export interface ProofChange {
  readonly key?: SigningKey
  readonly header?: object
  readonly claims?: object
}

/** A confidential client's authentication key, with its id. */
export interface AssertionKey {
  readonly kid: string
  readonly key: SigningKey
}

/** Changes to an assertion, and another key to sign it. */
export interface AssertionChange {
  readonly claims?: object
  readonly header?: object
  readonly by?: AssertionKey
}

/** The options of an app. */
export interface AppOptions {
  readonly clientId: string
  readonly redirectUri: string
  readonly scope: string
  readonly assertionKey?: AssertionKey
}

/** An app that does what an official client does, with every part changeable. */
export interface App extends AppOptions {
  readonly dpopKey: SigningKey
  /** The server's last nonce. */
  nonce: string | undefined
  proof(path: string, change?: ProofChange, accessToken?: string): Promise<string>
  assertion(change?: AssertionChange): Promise<string>
  /** Posts a form with a proof; retries if the server requires its nonce. */
  post(path: string, fields: Fields, proof?: ProofChange): Promise<Answered>
  /** The parameters of a pushed request. */
  request(verifier: string): Fields
  push(fields?: Fields): Promise<{ readonly answer: Answered; readonly verifier: string }>
  /** Pushes a request and accepts it; returns the fields to exchange for tokens. */
  code(did: string, fields?: Fields): Promise<Fields & { readonly code: string }>
  /** The tokens of a sign-in. */
  signIn(did: string, fields?: Fields): Promise<Answered["body"]>
  refresh(refreshToken: string, fields?: Fields): Promise<Answered>
  /** Calls a method with an access token. */
  call(nsid: string, accessToken: string, asked?: Asked): Promise<Answered>
}

/** The device of the tests' person. */
export const device = "dev-of-the-tests"

/** Accepts a pushed request on the person's behalf. */
export const accept = (host: AppServer, requestUri: string, did: string): Promise<string> =>
  host.beneath(
    Effect.gen(function* () {
      const pending = yield* (yield* OAuthRequests).open(requestUri, device)
      const scope = pending?.parameters.scope ?? ""
      const granted = yield* grantCode({ requestUri, device, did, scope, from: {} })
      if (granted === undefined) return yield* Effect.die("the request is over")
      return granted.code
    })
  )

/** Creates an app for tests of the endpoints. */
export const makeApp = async (host: AppServer, options: AppOptions): Promise<App> => {
  const { clientId, redirectUri, scope, assertionKey } = options
  const { origin = "http://localhost:8787" } = host
  const dpopKey = await makeKey("ES256")
  const seconds = () => Math.floor(host.now() / 1000)

  const app: App = {
    ...options,
    dpopKey,
    nonce: undefined,
    proof: (path, { key = dpopKey, header, claims } = {}, accessToken) =>
      sign(
        key,
        { alg: "ES256", typ: "dpop+jwt", jwk: key.publicJwk, ...header },
        {
          jti: random(),
          htm: "POST",
          htu: `${origin}${path}`,
          iat: seconds(),
          nonce: app.nonce,
          ...(accessToken === undefined
            ? {}
            : { ath: createHash("sha256").update(accessToken).digest("base64url") }),
          ...claims
        }
      ),
    assertion: ({ claims, header, by = assertionKey } = {}) => {
      if (by === undefined) throw new Error("a public client has no assertions")
      return sign(
        by.key,
        { alg: "ES256", kid: by.kid, ...header },
        { iss: clientId, sub: clientId, aud: origin, jti: random(), iat: seconds(), ...claims }
      )
    },
    post: async (path, fields, proof) => {
      const credentials: Fields = {
        client_id: clientId,
        ...(assertionKey === undefined
          ? {}
          : {
              client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
              client_assertion: await app.assertion()
            })
      }
      const given = Object.entries({ ...credentials, ...fields }).filter(
        (field): field is [string, string] => field[1] !== undefined
      )
      const send = async () => {
        const answer = await host.ask(path, {
          body: new URLSearchParams(given).toString(),
          headers: {
            "content-type": "application/x-www-form-urlencoded",
            dpop: await app.proof(path, proof)
          }
        })
        app.nonce = answer.headers.get("dpop-nonce") ?? app.nonce
        return answer
      }
      const first = await send()
      return first.body["error"] === "use_dpop_nonce" ? send() : first
    },
    request: (verifier) => ({
      response_type: "code",
      redirect_uri: redirectUri,
      scope,
      state: random(),
      code_challenge: challengeOf(verifier),
      code_challenge_method: "S256"
    }),
    push: async (fields) => {
      const verifier = random() + random()
      const answer = await app.post("/oauth/par", { ...app.request(verifier), ...fields })
      return { answer, verifier }
    },
    code: async (did, fields) => {
      const { answer, verifier } = await app.push(fields)
      if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`)
      const code = await accept(host, answer.body["request_uri"], did)
      return {
        grant_type: "authorization_code",
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier
      }
    },
    signIn: async (did, fields) => {
      const answer = await app.post("/oauth/token", await app.code(did, fields))
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
      return answer.body
    },
    refresh: (refreshToken, fields) =>
      app.post("/oauth/token", {
        grant_type: "refresh_token",
        refresh_token: refreshToken,
        ...fields
      }),
    call: async (nsid, accessToken, asked = {}) => {
      const path = `/xrpc/${nsid}`
      const htm =
        asked.method ?? (asked.input === undefined && asked.body === undefined ? "GET" : "POST")
      const send = async () => {
        const dpop = await app.proof(path, { claims: { htm } }, accessToken)
        const headers = { ...asked.headers, dpop }
        const answer = await host.ask(path, { ...asked, auth: `DPoP ${accessToken}`, headers })
        app.nonce = answer.headers.get("dpop-nonce") ?? app.nonce
        return answer
      }
      const first = await send()
      return first.headers.get("www-authenticate")?.includes("use_dpop_nonce") === true
        ? send()
        : first
    }
  }
  return app
}

/** The id of a development client. */
export const loopbackId = (scope: string, redirectUri = "http://127.0.0.1/callback"): string =>
  `http://localhost?${new URLSearchParams({ redirect_uri: redirectUri, scope })}`

/** A development client: public, on this machine. */
export const publicApp = (host: AppServer, scope = "atproto transition:generic"): Promise<App> =>
  makeApp(host, {
    clientId: loopbackId(scope),
    redirectUri: "http://127.0.0.1:4321/callback",
    scope
  })

/** A confidential client, and its published documents. */
export interface Published {
  readonly app: App
  /** Its metadata; a test may change it. */
  readonly metadata: Record<string, unknown>
  /** Its keys; a test may change them. */
  readonly keys: Array<object>
}

/** A confidential client whose metadata and keys are online. */
export const confidentialApp = async (
  host: Host,
  name = "app",
  scope = "atproto transition:generic"
): Promise<Published> => {
  const base = `https://${name}.example.com`
  const clientId = `${base}/client-metadata.json`
  const redirectUri = `${base}/callback`
  const key = await makeKey("ES256")
  const kid = "first"
  const keys: Array<object> = [{ ...key.publicJwk, kid, alg: "ES256", use: "sig" }]
  const metadata: Record<string, unknown> = {
    client_id: clientId,
    client_name: name,
    application_type: "web",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    redirect_uris: [redirectUri],
    scope,
    dpop_bound_access_tokens: true,
    token_endpoint_auth_method: "private_key_jwt",
    token_endpoint_auth_signing_alg: "ES256",
    jwks_uri: `${base}/jwks.json`
  }
  host.network.web.set(clientId, () => Response.json(metadata))
  host.network.web.set(`${base}/jwks.json`, () => Response.json({ keys }))
  const app = await makeApp(host, { clientId, redirectUri, scope, assertionKey: { kid, key } })
  return { app, metadata, keys }
}
