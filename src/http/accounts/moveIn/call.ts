import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { fromBase64Url } from "../../../core/bytes/base64url.ts"
import { signedProof } from "../../../core/oauth/sentProof.ts"
import {
  Outgoing,
  type OutgoingRequest,
  type OutgoingResponse
} from "../../../services/host/Outgoing.ts"

/** A step of a move that didn't work, by what its owner can do about it. */
export class MoveInFailed extends Schema.TaggedError<MoveInFailed>()("MoveInFailed", {
  /**
   * `unreachable`: retry. `signed out`: sign in to the old server again. `refused`: a server says
   * no. `odd`: the old server's answer makes no sense. `changed`: it has newer records. `slow`: it doesn't
   * send one of the blobs.
   */
  why: Schema.Literals(["unreachable", "signed out", "refused", "odd", "changed", "slow"]),
  nsid: Schema.optional(Schema.String),
  /** The protocol's name of the error. */
  error: Schema.optional(Schema.String),
  message: Schema.optional(Schema.String)
}) {}

/** A bearer token, or a token bound to a key; the key alone proves itself. */
export type Credential = string | { readonly token?: string; readonly key: string }

/** The parts of a call. */
export interface RemoteCall {
  readonly params?: Readonly<Record<string, string>>
  readonly input?: unknown
  readonly method?: "GET" | "POST"
  readonly auth?: Credential | undefined
}

/** The largest answer of the old server, apart from the repo and blobs. */
const maxAnswer = 1024 * 1024

const Refusal = Schema.Struct({
  error: Schema.optional(Schema.String),
  message: Schema.optional(Schema.String)
})

const refusalOf = (json: unknown) =>
  Option.getOrElse(Schema.decodeUnknownOption(Refusal)(json), () => ({
    error: undefined,
    message: undefined
  }))

/** The JSON of a successful answer. */
export const parsed = (nsid: string, status: number, body: Uint8Array) => {
  const text = new TextDecoder().decode(body)
  const json = Option.getOrUndefined(
    Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))(text)
  )
  if (status >= 200 && status < 300) return Effect.succeed(text === "" ? {} : json)
  if (status >= 500 || status === 429) return new MoveInFailed({ why: "unreachable", nsid })
  const { error, message } = refusalOf(json)
  return new MoveInFailed({
    why: "refused",
    nsid,
    error: error?.slice(0, 80),
    message: message?.slice(0, 300)
  })
}

export const queryOf = (params: Readonly<Record<string, string>> = {}) => {
  const query = new URLSearchParams(params).toString()
  return query === "" ? "" : `?${query}`
}

export const headersOf = ({ auth, input }: RemoteCall): Readonly<Record<string, string>> => ({
  ...(typeof auth === "string" ? { authorization: `Bearer ${auth}` } : {}),
  ...(input === undefined ? {} : { "content-type": "application/json" })
})

const provenHeaders = Effect.fnUntraced(function* (
  { token: accessToken, key }: Exclude<Credential, string>,
  claims: { readonly htm: string; readonly htu: string; readonly nonce?: string }
) {
  const iat = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const proof = { ...claims, iat, jti: crypto.randomUUID(), accessToken }
  return {
    dpop: signedProof(fromBase64Url(key) ?? new Uint8Array(), proof),
    ...(accessToken === undefined ? {} : { authorization: `DPoP ${accessToken}` })
  }
})

const wantsNonce = ({ status, headers, body }: OutgoingResponse): boolean =>
  (status === 400 || status === 401) &&
  headers.has("dpop-nonce") &&
  `${headers.get("www-authenticate")}${new TextDecoder().decode(body)}`.includes("use_dpop_nonce")

/** Sends a request to the old server, by the client for addresses that others chose. */
export const sendThere = Effect.fnUntraced(function* (
  url: string,
  request: Pick<OutgoingRequest, "method" | "accept" | "headers" | "body">,
  auth?: Credential
) {
  const outgoing = yield* Outgoing
  const { method = "GET", headers = {} } = request
  const send = Effect.fnUntraced(function* (nonce?: string) {
    const claims = { htm: method, htu: url, ...(nonce === undefined ? {} : { nonce }) }
    const proven = typeof auth === "object" ? yield* provenHeaders(auth, claims) : {}
    return yield* Effect.mapError(
      outgoing.request(url, {
        ...request,
        headers: { ...headers, ...proven },
        maxBytes: maxAnswer,
        timeout: "15 seconds",
        allowStatus: "any"
      }),
      () => new MoveInFailed({ why: "unreachable", nsid: url.split("/").at(-1) })
    )
  })
  const first = yield* send()
  const nonce = first.headers.get("dpop-nonce")
  return typeof auth === "object" && nonce !== null && wantsNonce(first)
    ? yield* send(nonce)
    : first
})

/** Calls a method of the old server. */
export const callThere = Effect.fnUntraced(function* (
  from: string,
  nsid: string,
  call: RemoteCall = {}
) {
  const { input, params, auth, method = input === undefined ? "GET" : "POST" } = call
  const request = {
    method,
    accept: "application/json",
    headers: headersOf(call),
    ...(input === undefined ? {} : { body: JSON.stringify(input) })
  }
  const url = `${from}/xrpc/${nsid}${queryOf(params)}`
  const { status, body } = yield* sendThere(url, request, auth)
  return yield* parsed(nsid, status, body)
})

/** Decodes an answer, or fails because it makes no sense. */
export const decoded = <S extends Schema.ConstraintDecoder<unknown>>(
  nsid: string,
  schema: S,
  answer: unknown
) =>
  Effect.mapError(
    Schema.decodeUnknownEffect(schema)(answer),
    () => new MoveInFailed({ why: "odd", nsid })
  )
