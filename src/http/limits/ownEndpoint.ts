import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Role } from "../../core/operators/roles.ts"
import { parseAuthorization } from "../../core/sessions/authorization.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { authenticate } from "../../services/sessions/Auth.ts"
import { Directory } from "../../services/accounts/Directory.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { mediaTypeOf, readBody } from "../input.ts"
import { noteAccount, noteAct } from "../CurrentRequest.ts"
import { jsonType, privateHeaders } from "../responses.ts"
import { subjectOf } from "../accounts/accountOf.ts"
import { accountBehind } from "../sessions/signInGate.ts"
import { noteModerator } from "../operators/recordAct.ts"
import { credentialsOf } from "../sessions/credentials.ts"

const admit = Effect.fnUntraced(function* (request: Request, name: string, role: Role) {
  const authority = { kind: "admin", role } as const
  yield* noteModerator(yield* authenticate(credentialsOf(request), authority, name))
})

/** How the requests of operators were admitted: their bodies may take longer than their roles last. */
const admissions = new WeakMap<Request, ReturnType<typeof admit>>()

/**
 * Rejects everyone except the administrator, and operators with at least a role, from one of our
 * own paths outside of XRPC.
 */
export const forOperator = (request: Request, name: string, role: Role) => {
  const admission = admit(request, name, role)
  admissions.set(request, admission)
  return admission
}

/** The same for the administrator and operators with the role `admin`. */
export const forAdministrator = (request: Request, name: string) =>
  forOperator(request, name, "admin")

const bodyLimit = 10_000

/** The JSON input of such a path; a form on another website can't send this type. */
export const adminInput = Effect.fnUntraced(function* <A>(
  request: Request,
  schema: Schema.Codec<A, unknown>,
  needed: string
) {
  if (mediaTypeOf(request.headers) !== "application/json") {
    return yield* new InvalidRequest({
      message: "Wrong request encoding, expected application/json"
    })
  }
  const text = new TextDecoder().decode(yield* readBody(request, bodyLimit))
  yield* admissions.get(request) ?? Effect.void
  return yield* Effect.mapError(
    Schema.decodeEffect(Schema.fromJsonString(schema))(text),
    () => new InvalidRequest({ message: needed })
  )
})

/**
 * The account that such a request is about: the administrator names it, an owner uses a recent
 * session of the main password.
 */
export const ownerOrAdministrator = Effect.fnUntraced(function* (
  request: Request,
  name: string,
  account: string | undefined
) {
  const credentials = credentialsOf(request)
  if (parseAuthorization(credentials.authorization)?.scheme === "basic") {
    yield* forAdministrator(request, name)
    const entry = yield* accountBehind(account ?? "")
    if (entry === undefined) return yield* new InvalidRequest({ message: "No such account" })
    yield* noteAccount(entry.did)
    yield* noteAct({ subject: entry.did })
    return { did: entry.did, handle: entry.handle, by: "administrator" } as const
  }
  const did = yield* subjectOf(request)
  const { until } = yield* (yield* Accounts).call(did, "proveSession", credentials)
  yield* noteAccount(did)
  const entry = yield* (yield* Directory).byDid(did)
  return { did, handle: entry?.handle ?? did, by: "owner", until } as const
})

/** The response of such a path: JSON that nobody caches. */
export const ownAnswer = (value: object): Response =>
  new Response(JSON.stringify(value), {
    headers: { ...privateHeaders, "cache-control": "no-store", "content-type": jsonType }
  })
