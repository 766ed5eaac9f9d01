import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { queryValue } from "../../core/lexicon/params.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config } from "../../services/host/Config.ts"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { mediaTypeOf, readBody } from "../input.ts"
import { ownAnswer, ownerOrAdministrator } from "../limits/ownEndpoint.ts"
import { dropPasskey } from "./newPasskey.ts"
import { linkTo } from "./linkPage.ts"

const name = "manage/passkeys"

const judged = (request: Request, account: string | undefined) =>
  ownerOrAdministrator(request, name, account)

const Input = Schema.fromJsonString(
  Schema.Struct({
    account: Schema.optionalKey(Schema.String),
    passkey: Schema.optionalKey(Schema.String)
  })
)

const bodyLimit = 10_000

/**
 * Parses the input; a form on another site cannot send this type, so it can't use credentials that
 * the browser keeps.
 */
const inputOf = Effect.fnUntraced(function* (request: Request) {
  if (mediaTypeOf(request.headers) !== "application/json") {
    return yield* new InvalidRequest({
      message: "Wrong request encoding, expected application/json"
    })
  }
  const text = new TextDecoder().decode(yield* readBody(request, bodyLimit))
  return yield* Effect.mapError(
    Schema.decodeEffect(Input)(text),
    () => new InvalidRequest({ message: "Malformed JSON body" })
  )
})

const listOf = Effect.fnUntraced(function* (did: string) {
  return (yield* (yield* Accounts).call(did, "security")).passkeyList
})

/**
 * `GET /manage/passkeys`: an account's passkeys, for its owner (with a recent session) or the
 * administrator.
 */
export const listPasskeys = Effect.fn("http.listPasskeys")(function* (request: Request, url: URL) {
  const { did, handle } = yield* judged(request, queryValue(url.searchParams, "account"))
  const passkeys = (yield* listOf(did)).map(({ id, name, createdAt, usedAt }) => ({
    id,
    name,
    createdAt,
    ...(usedAt === undefined ? {} : { usedAt })
  }))
  return ownAnswer({ did, handle, passkeys })
})

/**
 * `POST /manage/passkeys/link`: creates a link that adds one passkey; this is the only time it is
 * returned.
 */
export const makePasskeyLink = Effect.fn("http.makePasskeyLink")(function* (request: Request) {
  const { account } = yield* inputOf(request)
  const { did, handle, ...authority } = yield* judged(request, account)
  const made = yield* (yield* Accounts).call(did, "makePasskeyLink", authority)
  const url = linkTo((yield* Config).publicUrl, did, made.secret)
  return ownAnswer({ did, handle, url, expiresAt: made.expiresAt })
})

/**
 * `POST /manage/passkeys/remove`: removes a passkey by id, except for the last one of an account
 * without a password.
 */
export const removePasskey = Effect.fn("http.removePasskey")(function* (request: Request) {
  const { account, passkey } = yield* inputOf(request)
  const { did, handle } = yield* judged(request, account)
  const known = (yield* listOf(did)).find(({ id }) => id === passkey)
  if (known === undefined) return yield* new InvalidRequest({ message: "No such passkey" })
  yield* Effect.catchTag(
    dropPasskey(did, known.id),
    "OAuthStoreUnavailable",
    (cause) => new DirectoryUnavailable({ operation: "removePasskey", cause })
  )
  return ownAnswer({ did, handle, removed: { id: known.id, name: known.name } })
})
