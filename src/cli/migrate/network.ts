import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { didMethod, didWebUrl } from "../../core/identity/did.ts"
import { type DidDocument, parseDidDocument } from "../../core/identity/didDocument.ts"
import { CarParser } from "../../core/repo/carParser.ts"
import { decodeForeignCommit } from "../../core/repo/commit.ts"
import { CidText, Did, DidKey, HandleDomain, Name, Visible, Words } from "../answers.ts"
import { CallFailed, Failed, Unreachable } from "../failure.ts"
import { patiently } from "../patience.ts"
import { plcUrl } from "../place.ts"
import { download, fetchJson, query, type Remote } from "../xrpc.ts"

/** A server's description of itself. */
const Host = Schema.Struct({
  did: Did,
  availableUserDomains: Schema.Array(HandleDomain),
  inviteCodeRequired: Schema.optionalKey(Schema.Boolean)
})

/** A server's DID, its domains and whether it requires invites. */
export const hostOf = (server: string) =>
  query({ server }, "com.atproto.server.describeServer", Host)

/**
 * The DID document from the PLC directory or the DID's own host, independent of the account's
 * servers.
 */
export const documentOf = Effect.fn("cli.documentOf")(function* (did: string) {
  const url = didMethod(did) === "plc" ? `${yield* plcUrl}/${did}` : didWebUrl(did)
  if (url === undefined) {
    return yield* new Failed({
      message: `${did} is of an unsupported kind. Only did:plc and did:web work`
    })
  }
  const json = yield* fetchJson(url, "application/did+ld+json, application/json")
  return yield* Effect.try({
    try: (): DidDocument => parseDidDocument(did, json),
    catch: () => new Failed({ message: `Couldn't resolve ${did}: ${url} has no document for it` })
  })
})

const Status = Schema.Struct({
  active: Schema.Boolean,
  status: Schema.optionalKey(Words)
})

/** Whether the account is active on a server; undefined if it isn't there. */
export const standingAt = (remote: Remote, did: string) =>
  query(remote, "com.atproto.sync.getRepoStatus", Status, { did }).pipe(
    Effect.catchIf(
      (error) => error instanceof CallFailed && error.error === "RepoNotFound",
      () => Effect.undefined
    )
  )

const AccountStatus = Schema.Struct({
  activated: Schema.Boolean,
  validDid: Schema.Boolean,
  indexedRecords: Schema.Int,
  expectedBlobs: Schema.Int,
  importedBlobs: Schema.Int
})

/** The account's status as its own server reports it. */
export const accountStatusAt = (remote: Remote) =>
  query(remote, "com.atproto.server.checkAccountStatus", AccountStatus)

/** The CID of the repo's tree: equal on two servers with the same records. */
export const treeAt = Effect.fn("cli.treeAt")(function* (remote: Remote, did: string) {
  const { cid } = yield* query(
    remote,
    "com.atproto.sync.getLatestCommit",
    Schema.Struct({ cid: CidText }),
    { did }
  )
  const nsid = "com.atproto.sync.getBlocks"
  const car = yield* patiently(
    Effect.flatMap(download(remote, nsid, { did, cids: [cid] }), ({ body, reason }) =>
      Effect.mapError(Stream.runCollect(body), reason)
    )
  )
  return yield* Effect.try({
    try: () => {
      const parser = new CarParser()
      for (const piece of car) parser.push(piece)
      for (let block = parser.next(); block !== undefined; block = parser.next()) {
        if (block.cid.toString() === cid) return decodeForeignCommit(block.bytes).data.toString()
      }
      throw new Error("the commit is missing")
    },
    catch: () =>
      new Unreachable({ server: remote.server, why: `the response to ${nsid} isn't a commit` })
  })
})

const Credentials = Schema.Struct({
  rotationKeys: Schema.optionalKey(Schema.Array(DidKey)),
  alsoKnownAs: Schema.Array(Visible),
  verificationMethods: Schema.Record(Name, Visible),
  services: Schema.Record(Name, Schema.Struct({ type: Visible, endpoint: Visible }))
})

/** A server's recommended credentials for an account's DID. */
export type Credentials = typeof Credentials.Type

/** Fetches the recommended credentials. */
export const credentialsAt = (remote: Remote) =>
  query(remote, "com.atproto.identity.getRecommendedDidCredentials", Credentials)
