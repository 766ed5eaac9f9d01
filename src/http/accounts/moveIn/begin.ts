import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { pdsOf } from "../../../core/identity/didDocument.ts"
import { calledName } from "../../../core/identity/calledName.ts"
import { TokenText } from "../../../services/accounts/moveInNotes.ts"
import { Config } from "../../../services/host/Config.ts"
import { Identity } from "../../../services/identity/Identity.ts"
import { rules } from "../../../services/limits/rules.ts"
import { takePoint } from "../../limits/clientLimits.ts"
import { callThere, type Credential, decoded, MoveInFailed } from "./call.ts"

const Session = Schema.Struct({
  did: Schema.String,
  handle: Schema.String,
  accessJwt: TokenText,
  refreshJwt: TokenText,
  email: Schema.optional(Schema.String)
})

const Token = Schema.Struct({ token: TokenText })

/** The account behind a handle or DID, and the server that it is on. */
export const oldHome = Effect.fnUntraced(function* (typed: string) {
  const { host } = yield* Config
  const identity = yield* Identity
  const name = calledName(typed)
  const did = name.startsWith("did:") ? name : yield* identity.resolveHandle(name, { fresh: true })
  const document = yield* identity.resolveDid(did, { fresh: true })
  const pds = URL.parse(pdsOf(document) ?? "")
  if (pds === null) return yield* new MoveInFailed({ why: "odd" })
  return { did, from: pds.origin, isHere: pds.host === host }
})

/**
 * Signs in to the old server; the password goes there and nowhere else.
 *
 * Guesses count for the account, as they do here.
 */
export const signInThere = Effect.fn("moveIn.signIn")(function* (
  request: Request,
  { did, from }: { readonly did: string; readonly from: string },
  { password, code }: { readonly password: string; readonly code: string }
) {
  yield* takePoint(request, rules.signIn, `${rules.signIn.key} ${did}`)
  const nsid = "com.atproto.server.createSession"
  const factor = code.trim() === "" ? {} : { authFactorToken: code.trim() }
  const answer = yield* callThere(from, nsid, {
    input: { identifier: did, password, ...factor }
  })
  const session = yield* decoded(nsid, Session, answer)
  if (session.did !== did) return yield* new MoveInFailed({ why: "odd", nsid })
  return session
})

/** A token of the old server with which this one creates the account. */
export const arrivalToken = Effect.fnUntraced(function* (from: string, auth: Credential) {
  const nsid = "com.atproto.server.getServiceAuth"
  const { serviceDid: aud } = yield* Config
  const params = { aud, lxm: "com.atproto.server.createAccount" }
  return (yield* decoded(nsid, Token, yield* callThere(from, nsid, { params, auth }))).token
})
