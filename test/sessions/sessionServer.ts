import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Redacted from "effect/Redacted"
import { actorMethods } from "../../src/http/accounts/preferences.ts"
import { serverMethods } from "../../src/http/sessions/methods.ts"
import { serve, table } from "../../src/http/Xrpc.ts"
import { formatDidKey, publicKeyOf, signBytes } from "../../src/core/identity/didKey.ts"
import { accountDidDocument, type DidDocument } from "../../src/core/identity/didDocument.ts"
import {
  didOfGenesis,
  genesisOperation,
  unsignedBytes,
  withSignature
} from "../../src/core/identity/plcOperation.ts"
import * as AccountCodesSqlite from "../../src/layers/mail/AccountCodesSqlite.ts"
import * as AccountLimitsSqlite from "../../src/layers/limits/AccountLimitsSqlite.ts"
import { Alarm } from "../../src/services/host/Alarm.ts"
import * as AlarmMemory from "../../src/layers/host/AlarmMemory.ts"
import * as BackgroundMemory from "../../src/layers/host/BackgroundMemory.ts"
import * as MailerCaptured from "../../src/layers/mail/MailerCaptured.ts"
import * as AccountHistorySqlite from "../../src/layers/accounts/AccountHistorySqlite.ts"
import * as AppPasswordsSqlite from "../../src/layers/sessions/AppPasswordsSqlite.ts"
import * as OwnTokensSqlite from "../../src/layers/sessions/OwnTokensSqlite.ts"
import * as PendingDeletionSqlite from "../../src/layers/accounts/PendingDeletionSqlite.ts"
import * as TakedownsSqlite from "../../src/layers/accounts/TakedownsSqlite.ts"
import * as PendingMigrationSqlite from "../../src/layers/accounts/PendingMigrationSqlite.ts"
import * as AuthAccount from "../../src/layers/sessions/AuthAccount.ts"
import * as DirectoryD1 from "../../src/layers/accounts/DirectoryD1.ts"
import * as DpopProofsMaster from "../../src/layers/oauth/DpopProofsMaster.ts"
import * as HostDatabaseNode from "../../src/layers/host/sql/HostDatabaseNode.ts"
import * as IdentityMemory from "../support/network/IdentityMemory.ts"
import * as OAuthSessionsSqlite from "../../src/layers/oauth/OAuthSessionsSqlite.ts"
import * as PlcMemory from "../support/network/PlcMemory.ts"
import * as PasskeyLinksSqlite from "../../src/layers/factors/PasskeyLinksSqlite.ts"
import * as PasskeysSqlite from "../../src/layers/factors/PasskeysSqlite.ts"
import * as PreferencesSqlite from "../../src/layers/accounts/PreferencesSqlite.ts"
import * as SecondFactorsSqlite from "../../src/layers/factors/SecondFactorsSqlite.ts"
import * as SessionsSqlite from "../../src/layers/sessions/SessionsSqlite.ts"
import * as SignerKeys from "../../src/layers/identity/SignerKeys.ts"
import { cidForCbor } from "../../src/core/repo/cid.ts"
import * as AccountLock from "../../src/services/accounts/AccountLock.ts"
import { AccountEvents } from "../../src/services/stream/AccountEvents.ts"
import { type Account, AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { type Auth, authenticate } from "../../src/services/sessions/Auth.ts"
import { CodeOwners } from "../../src/services/mail/CodeOwners.ts"
import { Directory } from "../../src/services/accounts/Directory.ts"
import * as Passwords from "../../src/services/sessions/Passwords.ts"
import { PlcDirectory } from "../../src/services/identity/PlcDirectory.ts"
import { Repo } from "../../src/services/repo/Repo.ts"
import { RepoCounts } from "../../src/services/repo/RepoCounts.ts"
import * as ServiceTokens from "../../src/services/sessions/ServiceTokens.ts"
import { configLayer, sqlLayer, storeLayer, alice as template } from "./accountServices.ts"
import { usedOnce } from "./serviceTokenWorld.ts"

const secretOf = (byte: number) => new Uint8Array(32).fill(byte)
const keyOf = (byte: number) => formatDidKey(publicKeyOf("k256", secretOf(byte)))

/** The origin of the server under test. */
export const origin = "http://localhost:8787"

/** The server's DID. */
export const serviceDid = "did:web:localhost%3A8787"

const aliceKey = keyOf(7)

/** A did:plc whose first operation names these keys and this server's URL, and its document. */
export const plcIdentity = (rotationKeys: ReadonlyArray<string>, endpoint = origin) => {
  const unsigned = genesisOperation({
    rotationKeys,
    verificationMethods: { atproto: aliceKey },
    alsoKnownAs: ["at://alice.test"],
    services: { atproto_pds: { type: "AtprotoPersonalDataServer", endpoint } }
  })
  const signer = rotationKeys[0] === hostKey ? 0x11 : 0x22
  const genesis = withSignature(
    unsigned,
    signBytes("k256", secretOf(signer), unsignedBytes(unsigned))
  )
  const did = didOfGenesis(genesis)
  const document = accountDidDocument({
    did,
    handle: "alice.test",
    signingKey: aliceKey,
    pds: endpoint
  })
  return { did, genesis, document }
}

/** The did:key with which the server signs PLC operations, and another one. */
export const hostKey = keyOf(0x11)
export const strangerKey = keyOf(0x22)

/** Alice's identity in the network. */
export const aliceIdentity = plcIdentity([hostKey])

/** Alice, a did:plc of this server. */
export const alice: Account = {
  ...template,
  did: aliceIdentity.did,
  signingKey: { ...template.signingKey, didKey: aliceKey }
}

/** Alice's password. */
export const password = "correct horse"

/** The account's events, in order. */
export const announced: Array<string> = []

const note = (event: string) => Effect.sync(() => void announced.push(event))

const eventsLayer = Layer.succeed(
  AccountEvents,
  AccountEvents.of({
    account: note("account"),
    deleted: note("deleted"),
    identity: note("identity"),
    sync: note("sync"),
    signUp: note("signUp"),
    noSignUp: note("noSignUp"),
    owesSignUp: Effect.succeed(false)
  })
)

const notThere = Effect.die("nothing here writes to the repo")

const root = cidForCbor(new Uint8Array([0xa0]))
const head = {
  commit: root,
  block: new Uint8Array(),
  rev: "3kabcdefghij2",
  root,
  records: 1,
  nodes: 1
}

const repoLayer = Layer.succeed(
  Repo,
  Repo.of({
    create: notThere,
    head: Effect.succeed(head),
    headNow: () => Result.succeed(head),
    write: () => notThere,
    writeNow: () => notThere,
    recommitAfter: () => notThere,
    revAbove: () => Effect.succeed("3kabcdefghij3"),
    replace: ({ rev }) => Effect.as(note(`head ${rev}`), { ...head, rev }),
    snapshot: notThere,
    collections: () => Result.succeed([])
  })
)

const countsLayer = Layer.succeed(
  RepoCounts,
  RepoCounts.of({
    get: Effect.succeed({
      commit: "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm",
      rev: "3kabcdefghij2",
      blocks: 3,
      records: 1,
      privateStateValues: 2,
      expectedBlobs: 5,
      importedBlobs: 4
    })
  })
)

const noCodeOwners = Layer.succeed(
  CodeOwners,
  CodeOwners.of({
    ownerOf: () => Effect.undefined,
    put: () => Effect.void,
    remove: () => Effect.void,
    waiting: () => Effect.succeed([])
  })
)

/** Everything that the account's methods need, in memory; the network has these documents. */
export const serverLayerWith = (documents: ReadonlyArray<DidDocument>) =>
  AuthAccount.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        OwnTokensSqlite.layer,
        AppPasswordsSqlite.layer.pipe(Layer.provideMerge(SessionsSqlite.layer)),
        PendingMigrationSqlite.layer,
        PendingDeletionSqlite.layer,
        TakedownsSqlite.layer,
        OAuthSessionsSqlite.layer,
        DpopProofsMaster.layer,
        AccountLock.layer,
        Layer.effect(
          Alarm,
          Effect.map(AlarmMemory.make(Effect.void), ({ service }) => service)
        ),
        BackgroundMemory.layer,
        MailerCaptured.layer,
        PreferencesSqlite.layer,
        SecondFactorsSqlite.layer,
        AccountCodesSqlite.layer,
        AccountLimitsSqlite.layer,
        noCodeOwners,
        PasskeysSqlite.layer,
        PasskeyLinksSqlite.layer,
        storeLayer,
        ServiceTokens.layer.pipe(Layer.provideMerge(usedOnce)),
        SignerKeys.layer("k256", Redacted.make(secretOf(7))),
        Layer.succeed(Passwords.Passwords, Passwords.make({ logN: 4, r: 8, p: 1 })),
        DirectoryD1.layer.pipe(Layer.provide(HostDatabaseNode.layer(":memory:"))),
        PlcMemory.layer,
        eventsLayer,
        repoLayer,
        countsLayer
      )
    ),
    Layer.provideMerge(
      Layer.mergeAll(
        AccountHistorySqlite.layer.pipe(Layer.provideMerge(sqlLayer)),
        configLayer,
        IdentityMemory.layer({ documents, handles: {} })
      )
    )
  )

/** The same, with Alice's document in the network. */
export const serverLayer = serverLayerWith([aliceIdentity.document])

/** The services that calling the methods needs. */
export type Services = Layer.Success<typeof serverLayer>

/** Creates Alice's account with the test's changes. */
export const signUp = Effect.fnUntraced(function* (
  change: Partial<Account> = {},
  { did, genesis } = aliceIdentity
) {
  announced.length = 0
  const hashed = yield* (yield* Passwords.Passwords).hash(password)
  const directory = yield* Directory
  yield* directory.reserve({ did, handle: alice.handle })
  yield* directory.setStatus(did, "active")
  if (did.startsWith("did:plc:")) yield* (yield* PlcDirectory).submit(did, genesis)
  yield* (yield* AccountStore).create({ ...alice, did, password: hashed, ...change })
})

const methods = table("account", [...serverMethods, ...actorMethods])

/** Responds to a request as the account's object does. */
export const answer = (request: Request) =>
  serve(methods, { jsonLimit: 150 * 1024 }, request, new URL(request.url))

/** The result of a call. */
export interface Answered {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** Calls a method with a token and parameters (a query) or a body (a procedure). */
export const call = Effect.fnUntraced(function* (
  nsid: string,
  options: {
    readonly token?: unknown
    readonly authorization?: string
    readonly params?: Record<string, string>
    readonly body?: object
    readonly post?: true
  } = {}
) {
  const { token, params, body } = options
  const authorization =
    options.authorization ?? (token === undefined ? undefined : `Bearer ${token}`)
  const request = new Request(`${origin}/xrpc/${nsid}?${new URLSearchParams(params)}`, {
    method: body === undefined && options.post !== true ? "GET" : "POST",
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined ? {} : { "content-type": "application/json" })
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const response = yield* answer(request)
  const text = yield* Effect.promise(() => response.text())
  return { status: response.status, body: text === "" ? {} : JSON.parse(text) } as Answered
})

/** The result of `Auth` for an Authorization header. */
export const judge = Effect.fnUntraced(function* (
  authority: Parameters<Auth["Service"]["judge"]>[1],
  authorization?: string,
  nsid = "com.example.method"
) {
  const credentials = { method: "GET", url: `${origin}/xrpc/${nsid}` }
  return yield* authenticate(
    authorization === undefined ? credentials : { ...credentials, authorization },
    authority,
    nsid
  )
})
