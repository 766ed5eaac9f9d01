import { randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { toBase64Url } from "../../../core/bytes/base64url.ts"
import { generatePrivateKey } from "../../../core/identity/didKey.ts"
import { checkWebUrl } from "../../../core/oauth/webUrl.ts"
import { sha256 } from "../../../core/repo/cid.ts"
import { type OldTokens, TokenText } from "../../../services/accounts/moveInNotes.ts"
import { Config, type Settings } from "../../../services/host/Config.ts"
import { decoded, MoveInFailed, parsed, sendThere } from "./call.ts"

/**
 * What a move needs of the old server; the repo and the files are public. The reference accepts no
 * app for `deactivateAccount`: there the owner deactivates the old account.
 */
const scope = [
  "atproto",
  "identity:*",
  "account:status?action=manage",
  "rpc:com.atproto.server.createAccount?aud=*",
  "rpc:app.bsky.actor.getPreferences?aud=*"
].join(" ")

/** The path to which the old server's sign-in returns. */
const returnPath = "/account/move-in/return"

const isLocal = (publicUrl: string): boolean => publicUrl.startsWith("http://localhost")

/** Where the old server sends people back; a local server's name is its address there. */
const redirectUri = ({ publicUrl }: Settings): string =>
  isLocal(publicUrl)
    ? `${publicUrl.replace("localhost", "127.0.0.1")}${returnPath}`
    : `${publicUrl}${returnPath}`

const clientId = (config: Settings): string =>
  isLocal(config.publicUrl)
    ? `http://localhost?${new URLSearchParams({ redirect_uri: redirectUri(config), scope })}`
    : `${config.publicUrl}/oauth/client-metadata`

/** This server as a client of other servers, for members who move here. */
export const clientMetadata = (config: Settings) => ({
  client_id: clientId(config),
  client_name: config.brand.name ?? config.host,
  client_uri: config.publicUrl,
  redirect_uris: [redirectUri(config)],
  scope,
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  application_type: "web",
  token_endpoint_auth_method: "none",
  dpop_bound_access_tokens: true
})

const Url = Schema.String.check(Schema.isMaxLength(500))

const Resource = Schema.Struct({ authorization_servers: Schema.Array(Url) })

const Server = Schema.Struct({
  issuer: Url,
  authorization_endpoint: Url,
  token_endpoint: Url,
  pushed_authorization_request_endpoint: Url,
  revocation_endpoint: Schema.optional(Url)
})

const document = Effect.fnUntraced(function* (url: string) {
  const answer = yield* sendThere(url, { accept: "application/json" })
  return yield* parsed(url, answer.status, answer.body)
})

const Pushed = Schema.Struct({ request_uri: Url })

/** A sign-in at the old server that has begun. */
export interface Begun {
  readonly issuer: string
  readonly token: string
  readonly revoke?: string
  readonly key: string
  readonly verifier: string
  readonly state: string
}

const secret = (): string => randomBytes(32).toString("base64url")

/** Begins to sign in at the old server; the browser continues at `to`. */
export const beginOAuth = Effect.fn("moveIn.beginOAuth")(function* (from: string, did: string) {
  const config = yield* Config
  const nsid = "oauth-protected-resource"
  const described = yield* document(`${from}/.well-known/${nsid}`)
  const [issuer] = (yield* decoded(nsid, Resource, described)).authorization_servers
  const odd = new MoveInFailed({ why: "odd", nsid })
  if (issuer === undefined || URL.parse(issuer)?.origin !== issuer) return yield* odd
  const metadata = yield* document(`${issuer}/.well-known/oauth-authorization-server`)
  const server = yield* decoded(nsid, Server, metadata)
  const authorize = checkWebUrl(server.authorization_endpoint, config.devAllowHosts)
  if (server.issuer !== issuer || Result.isFailure(authorize)) return yield* odd
  const [key, verifier, state] = [toBase64Url(generatePrivateKey("p256")), secret(), secret()]
  const pushed = yield* post(server.pushed_authorization_request_endpoint, key, {
    client_id: clientId(config),
    redirect_uri: redirectUri(config),
    response_type: "code",
    scope,
    state,
    code_challenge: toBase64Url(sha256(verifier)),
    code_challenge_method: "S256",
    login_hint: did
  })
  const { request_uri } = yield* decoded(nsid, Pushed, pushed)
  const to = new URL(authorize.success)
  to.searchParams.set("client_id", clientId(config))
  to.searchParams.set("request_uri", request_uri)
  const revoke = server.revocation_endpoint
  const begun: Begun = {
    issuer,
    token: server.token_endpoint,
    ...(revoke === undefined ? {} : { revoke }),
    key,
    verifier,
    state
  }
  return { to: to.href, begun }
})

/** Sends a form with a proof of the key. */
const post = Effect.fnUntraced(function* (
  url: string,
  key: string,
  fields: Readonly<Record<string, string>>
) {
  const request = {
    method: "POST",
    accept: "application/json",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(fields).toString()
  } as const
  const { status, body } = yield* sendThere(url, request, { key })
  return yield* parsed("oauth", status, body)
})

const Granted = Schema.Struct({
  access_token: TokenText,
  refresh_token: TokenText,
  token_type: Schema.Literal("DPoP"),
  sub: Schema.String
})

/** Asks for tokens, which must be the account's. */
const granted = Effect.fnUntraced(function* (
  did: string,
  grant: { readonly token: string; readonly revoke?: string; readonly key: string },
  fields: Readonly<Record<string, string>>
) {
  const client = { client_id: clientId(yield* Config) }
  const answer = yield* post(grant.token, grant.key, { ...client, ...fields })
  const { access_token, refresh_token, sub } = yield* decoded("oauth", Granted, answer)
  if (sub !== did) return yield* new MoveInFailed({ why: "odd", nsid: "oauth" })
  const { token, revoke, key } = grant
  const tokens: OldTokens = {
    accessJwt: access_token,
    refreshJwt: refresh_token,
    grant: { token, key, ...(revoke === undefined ? {} : { revoke }) }
  }
  return tokens
})

/** Exchanges the code with which the browser returned. */
export const endOAuth = Effect.fn("moveIn.endOAuth")(function* (
  did: string,
  begun: Begun,
  code: string
) {
  const redirect_uri = redirectUri(yield* Config)
  const { verifier: code_verifier } = begun
  return yield* granted(did, begun, {
    grant_type: "authorization_code",
    code,
    redirect_uri,
    code_verifier
  })
})

type Grant = NonNullable<OldTokens["grant"]>

/** Renews the tokens of a grant. */
export const refreshOAuth = (did: string, grant: Grant, refresh_token: string) =>
  granted(did, grant, { grant_type: "refresh_token", refresh_token })

/** Gives a grant back. */
export const revokeOAuth = Effect.fnUntraced(function* (grant: Grant, token: string) {
  if (grant.revoke === undefined) return
  yield* post(grant.revoke, grant.key, { client_id: clientId(yield* Config), token })
})
