import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { checkCredentialScope, credentialScopes } from "../../core/oauth/credentialScope.ts"
import { queryValue } from "../../core/lexicon/params.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Denied } from "../../services/sessions/Auth.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { mediaTypeOf, readBody } from "../input.ts"
import { ownAnswer, ownerOrAdministrator } from "../limits/ownEndpoint.ts"

const judged = (request: Request, account: string | undefined) =>
  ownerOrAdministrator(request, "manage/tokens", account)

const optionalText = Schema.optionalKey(Schema.String)

const Input = Schema.fromJsonString(
  Schema.Struct({
    account: optionalText,
    name: Schema.String,
    kind: Schema.optionalKey(Schema.Literals(["token", "app-password"])),
    scope: optionalText,
    days: Schema.optionalKey(Schema.Int)
  })
)

const bodyLimit = 10_000

/** Parses the input; a form on another site can't send this type. */
const inputOf = Effect.fnUntraced(function* (request: Request) {
  if (mediaTypeOf(request.headers) !== "application/json") {
    const message = "Wrong request encoding, expected application/json"
    return yield* new InvalidRequest({ message })
  }
  const text = new TextDecoder().decode(yield* readBody(request, bodyLimit))
  return yield* Effect.mapError(
    Schema.decodeEffect(Input)(text),
    () => new InvalidRequest({ message: "Malformed JSON body" })
  )
})

const iso = (millis: number): string => new Date(millis).toISOString()

/**
 * `GET /manage/tokens`: an account's access tokens and app passwords, for its owner (with a recent
 * session) or the administrator.
 */
export const listTokens = Effect.fn("http.listTokens")(function* (request: Request, url: URL) {
  const { did, handle } = yield* judged(request, queryValue(url.searchParams, "account"))
  const { ownTokens, appPasswords } = yield* (yield* Accounts).call(did, "security")
  const tokens = ownTokens.map(({ name, scope, createdAt, expiresAt, usedAt }) => ({
    kind: "token",
    name,
    scope,
    createdAt: iso(createdAt),
    expiresAt: iso(expiresAt),
    ...(usedAt === undefined ? {} : { usedAt: iso(usedAt) })
  }))
  const passwords = appPasswords.map(({ name, privileged, scope, createdAt, usedAt }) => ({
    kind: "app-password",
    name,
    scope: scope ?? credentialScopes[privileged ? "privileged" : "standard"],
    createdAt,
    ...(usedAt === undefined ? {} : { usedAt: iso(usedAt) })
  }))
  return ownAnswer({ did, handle, tokens: [...tokens, ...passwords] })
})

const isLevel = (word: string): word is keyof typeof credentialScopes =>
  Object.hasOwn(credentialScopes, word)

/** The scope that an input names: `read`, `standard`, `privileged`, or scope values. */
const scopeIn = Effect.fnUntraced(function* (word: string) {
  if (isLevel(word)) return credentialScopes[word]
  const checked = checkCredentialScope(word)
  if (checked.ok) return checked.scope
  return yield* new InvalidRequest({
    message: `scope: a token can't have “${checked.value.slice(0, 100)}”`
  })
})

/** `POST /manage/tokens/create`: creates an access token; this is the only time it is returned. */
export const createToken = Effect.fn("http.createToken")(function* (request: Request) {
  const { account, name, scope = "read", days = 90 } = yield* inputOf(request)
  const { did, handle, by } = yield* judged(request, account)
  if (by !== "owner") {
    return yield* new Denied({
      error: "Forbidden",
      message: "Only the account's owner can create an access token"
    })
  }
  const wanted = { name: name.trim(), scope: yield* scopeIn(scope), days }
  const made = yield* (yield* Accounts).call(did, "createOwnToken", wanted)
  const { expiresAt, token } = made
  return ownAnswer({
    did,
    handle,
    name: made.name,
    scope: made.scope,
    expiresAt: iso(expiresAt),
    token
  })
})

/** `POST /manage/tokens/revoke`: revokes an access token or an app password by its name. */
export const revokeToken = Effect.fn("http.revokeToken")(function* (request: Request) {
  const { account, name, kind = "token" } = yield* inputOf(request)
  const { did, handle } = yield* judged(request, account)
  const accounts = yield* Accounts
  const { ownTokens, appPasswords } = yield* accounts.call(did, "security")
  const there = kind === "token" ? ownTokens : appPasswords
  if (!there.some((one) => one.name === name)) {
    return yield* new InvalidRequest({ message: `There is none with the name: ${name}` })
  }
  const call = kind === "token" ? "revokeOwnToken" : "revokeAppPassword"
  yield* accounts.call(did, call, { name })
  return ownAnswer({ did, handle, revoked: { kind, name } })
})
