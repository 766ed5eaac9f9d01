import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { calledName } from "../../core/identity/calledName.ts"
import { checkFetchUrl } from "../../core/identity/address.ts"
import { didMethod, firstLine, isSupportedDid } from "../../core/identity/did.ts"
import {
  type DidDocument,
  handleOf,
  parseDidDocument,
  pdsOf,
  signingKeyOf
} from "../../core/identity/didDocument.ts"
import { parsePlcData } from "../../core/identity/plcParse.ts"
import { Did, HandleDomain, Words } from "../answers.ts"
import { CallFailed, Failed } from "../failure.ts"
import { variable } from "../flags.ts"
import { plcUrl } from "../place.ts"
import { printable } from "../printable.ts"
import { type CallError, fetchJson, fetchText, query } from "../xrpc.ts"

/** The network's current answers about an identity. */
export interface Found {
  readonly handle?: string
  readonly did?: string
  /** Whether the server hands out handles under this domain and so answers for it. */
  readonly isHosted: boolean
  /**
   * The DIDs that the handle resolves to: by the server, by DNS (several records count as none), by
   * its host's file.
   */
  readonly leads: {
    readonly server?: string
    readonly dns?: ReadonlyArray<string>
    readonly file?: string
  }
  /** The handle in the DID's document. */
  readonly claimed?: string
  readonly pds?: string
  readonly signingKey?: string
  /** The rotation keys of a did:plc, in order of authority. */
  readonly rotationKeys?: ReadonlyArray<string>
}

const notFound = new Set(["HandleNotFound", "DidNotFound", "DidDeactivated"])

/** Undefined if a server reports that it doesn't exist. */
const orNothing = <A, R>(asking: Effect.Effect<A, CallError, R>) =>
  Effect.catchIf(
    asking,
    (error) => error instanceof CallFailed && notFound.has(error.error),
    () => Effect.undefined
  )

const patience = "5 seconds"

/** Undefined if a foreign server fails or takes too long. */
const orUnknown = <A, E, R>(asking: Effect.Effect<A, E, R>) =>
  asking.pipe(
    Effect.timeout(patience),
    Effect.orElseSucceed(() => undefined)
  )

const Answers = Schema.Struct({
  Answer: Schema.optionalKey(Schema.Array(Schema.Struct({ data: Words })))
})

/** The DIDs of the TXT records `_atproto.<handle>`. */
const byDns = Effect.fnUntraced(function* (handle: string) {
  const doh = (yield* variable("DOH_URL")) ?? "https://cloudflare-dns.com/dns-query"
  const json = yield* fetchJson(`${doh}?name=_atproto.${handle}&type=TXT`, "application/dns-json")
  const { Answer = [] } = yield* Schema.decodeUnknownEffect(Answers)(json)
  return Answer.map(({ data }) => data.replaceAll(/"\s*"/g, "").replaceAll('"', ""))
    .filter((text) => text.startsWith("did="))
    .map((text) => text.slice(4).trim())
    .filter(isSupportedDid)
})

/** The DID in `https://<handle>/.well-known/atproto-did`. */
const byFile = Effect.fnUntraced(function* (handle: string) {
  const { status, text } = yield* fetchText(`https://${handle}/.well-known/atproto-did`)
  const did = firstLine(text)
  return status === 200 && isSupportedDid(did) ? did : undefined
})

const defined = <A extends object>(fields: A) =>
  // SAFETY: only fields whose value is undefined are left out.
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof A]?: Exclude<A[K], undefined>
  }

const lookUpHandle = Effect.fnUntraced(function* (server: string, handle: string) {
  const { availableUserDomains } = yield* query(
    { server },
    "com.atproto.server.describeServer",
    Schema.Struct({ availableUserDomains: Schema.Array(HandleDomain) })
  )
  const isHosted = availableUserDomains.some((domain) => handle.endsWith(domain))
  const resolved = yield* orNothing(
    query({ server }, "com.atproto.identity.resolveHandle", Schema.Struct({ did: Did }), {
      handle
    })
  )
  // Names that are never public are not sent to anyone.
  const asked = !isHosted && Result.isSuccess(checkFetchUrl(`https://${handle}`))
  const [dns, file] = asked
    ? yield* Effect.all([orUnknown(byDns(handle)), orUnknown(byFile(handle))], { concurrency: 2 })
    : []
  return { isHosted, leads: defined({ server: resolved?.did, dns, file }) }
})

const lookUpDid = Effect.fnUntraced(function* (server: string, did: string) {
  const resolved = yield* orNothing(
    query(
      { server },
      "com.atproto.identity.resolveDid",
      Schema.Struct({ didDoc: Schema.Unknown }),
      {
        did
      }
    )
  )
  if (resolved === undefined) return {}
  const document = yield* Effect.try({
    try: () => parseDidDocument(did, resolved.didDoc),
    catch: () => new Failed({ message: `The DID document of ${did} is malformed` })
  })
  const plc = didMethod(did) === "plc" ? yield* orUnknown(plcDataOf(did)) : undefined
  return defined({
    claimed: handleOf(document),
    pds: shownPdsOf(document),
    signingKey: signingKeyOf(document),
    rotationKeys: plc?.rotationKeys
  })
})

/**
 * The server in a document, in text that is safe for a terminal: an endpoint is any text that
 * parses as a URL.
 */
export const shownPdsOf = (document: DidDocument): string | undefined => {
  const pds = pdsOf(document)
  return pds === undefined ? undefined : printable(pds)
}

/** The PLC directory's data of a DID. */
export const plcDataOf = Effect.fn("cli.plcDataOf")(function* (did: string) {
  const directory = yield* plcUrl
  const json = yield* fetchJson(`${directory}/${did}/data`)
  return yield* Effect.try({
    try: () => parsePlcData(json),
    catch: () =>
      new Failed({
        message: `${directory} doesn't know ${did}`,
        next: "Check that this is the right directory, or choose another one with PLC_URL."
      })
  })
})

/** Looks up a handle or DID in both directions. */
export const lookUp = Effect.fn("cli.lookUp")(function* (server: string, given: string) {
  const name = calledName(given)
  const isDid = name.startsWith("did:")
  if (isDid) {
    const byDid = yield* lookUpDid(server, name)
    const handle = byDid.claimed
    const byHandle =
      handle === undefined ? { isHosted: false, leads: {} } : yield* lookUpHandle(server, handle)
    return {
      did: name,
      ...(handle === undefined ? {} : { handle }),
      ...byHandle,
      ...byDid
    } satisfies Found
  }
  const handle = name
  const byHandle = yield* lookUpHandle(server, handle)
  const did = byHandle.leads.server ?? byHandle.leads.dns?.[0] ?? byHandle.leads.file
  const byDid = did === undefined ? {} : yield* lookUpDid(server, did)
  return { handle, ...(did === undefined ? {} : { did }), ...byHandle, ...byDid } satisfies Found
})
