import { CurrentRequest, currentRequest } from "../../src/http/CurrentRequest.ts"
import { takePoint } from "../../src/http/limits/clientLimits.ts"
import * as PublicCache from "../../src/services/edge/PublicCache.ts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type DidDocument, makeDidDocument } from "../../src/core/identity/didDocument.ts"
import { adminAccountMethods } from "../../src/http/accounts/adminAccounts.ts"
import { adminChangeMethods } from "../../src/http/accounts/adminChanges.ts"
import { adminSubjectMethods } from "../../src/http/accounts/adminSubjects.ts"
import { inviteMethods } from "../../src/http/accounts/invites.ts"
import { tempMethods } from "../../src/http/host/temp.ts"
import { identityMethods } from "../../src/http/identity/methods.ts"
import { serverMethods } from "../../src/http/sessions/methods.ts"
import { serve, table } from "../../src/http/Xrpc.ts"
import * as AddressLimitsLayer from "../../src/layers/limits/AddressLimits.ts"
import * as OperatorsD1 from "../../src/layers/operators/OperatorsD1.ts"
import * as AuthHost from "../../src/layers/sessions/AuthHost.ts"
import * as ConfigEnv from "../../src/layers/host/ConfigEnv.ts"
import * as DevicesD1 from "../../src/layers/oauth/DevicesD1.ts"
import * as DirectoryD1 from "../../src/layers/accounts/DirectoryD1.ts"
import * as HostDatabaseNode from "../../src/layers/host/sql/HostDatabaseNode.ts"
import * as IdentityMemory from "../support/network/IdentityMemory.ts"
import * as KeysMaster from "../../src/layers/identity/KeysMaster.ts"
import * as KnownAccountsDirectory from "../../src/layers/accounts/KnownAccountsDirectory.ts"
import * as LimiterMemory from "../../src/layers/limits/LimiterMemory.ts"
import * as MailerNone from "../../src/layers/mail/MailerNone.ts"
import * as ReservedKeysD1 from "../../src/layers/identity/ReservedKeysD1.ts"
import * as PlcMemory from "../support/network/PlcMemory.ts"
import { fromPrivateKey } from "../../src/layers/identity/SignerKeys.ts"
import type { CallInput, CallName } from "../../src/services/accounts/AccountCalls.ts"
import { RepoNotFound } from "../../src/services/accounts/AccountStore.ts"
import { Accounts, type AccountUnavailable } from "../../src/services/accounts/Accounts.ts"
import { Directory } from "../../src/services/accounts/Directory.ts"
import * as HostedIdentities from "../../src/services/identity/HostedIdentities.ts"
import { PlcDirectory } from "../../src/services/identity/PlcDirectory.ts"
import * as ServiceTokens from "../../src/services/sessions/ServiceTokens.ts"
import { usedOnce } from "../sessions/serviceTokenWorld.ts"
import * as SignUp from "../../src/services/accounts/SignUp.ts"

const master = Buffer.alloc(32, 5)

export const adminPassword = "correct horse battery"

/** The environment of the test host. */
export const env = {
  MASTER_KEY: master.toString("base64url"),
  PLC_ROTATION_KEY: "42".repeat(32),
  ADMIN_PASSWORD: adminPassword,
  PUBLIC_URL: "https://pds.host",
  HANDLE_DOMAINS: "pds.host"
}

/** The administrator's credentials. */
export const admin = {
  authorization: `Basic ${Buffer.from(`admin:${adminPassword}`).toString("base64")}`
}

/** An account object of the test: its input, and whether it was announced. */
export interface FakeObject {
  readonly made: CallInput<"create">[0]
  announced: boolean
}

/** The test's account objects; `fail` makes a named call fail. */
export class FakeAccounts {
  readonly objects = new Map<string, FakeObject>()
  /** The status of forwarded requests. */
  answersWith = 200
  readonly forwarded: Array<{ readonly did: string; readonly request: Request }> = []
  fail: { call?: CallName; failure?: Effect.Effect<never, AccountUnavailable> } = {}

  readonly service = Accounts.of({
    forward: (did, request) =>
      Effect.sync(() => {
        this.forwarded.push({ did, request })
        return Response.json({ from: did }, { status: this.answersWith })
      }),
    // SAFETY: `answer` returns each call's own result.
    call: ((did: string, call: CallName, input: unknown) =>
      Effect.suspend((): Effect.Effect<unknown, AccountUnavailable | RepoNotFound> => {
        const answer = this.answer(did, call, input)
        return this.fail.call === call && this.fail.failure !== undefined
          ? this.fail.failure
          : answer
      })) as Accounts["Service"]["call"]
  })

  private answer(did: string, call: CallName, input: unknown) {
    const object = this.objects.get(did)
    if (call === "create") {
      // A call may succeed although its response is lost.
      this.objects.set(did, { made: input as FakeObject["made"], announced: false })
      return Effect.succeed({ accessJwt: `access ${did}`, refreshJwt: `refresh ${did}` })
    }
    if (call === "destroy") return Effect.sync(() => void this.objects.delete(did))
    if (object === undefined) {
      return Effect.fail(new RepoNotFound({ did }))
    }
    if (call === "announce") return Effect.sync(() => void (object.announced = true))
    const { handle, signingKey, active } = object.made
    return Effect.succeed({ did, handle, signingKey: signingKey.didKey, active, shared: false })
  }
}

const moverSecret = Redacted.make(new Uint8Array(32).fill(9))

/** An account on another server, whose signing key the test has. */
export const moverSigner = Effect.runSync(fromPrivateKey("k256", moverSecret))

export const moverDid = "did:plc:mover234mover234mover234"

const mover: DidDocument = makeDidDocument({
  did: moverDid,
  alsoKnownAs: ["at://mover.elsewhere.com"],
  keys: { atproto: moverSigner.didKey },
  services: { atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: "https://old.host" } }
})

/** Changes to services, for tests of failures. */
export interface Overrides {
  readonly env?: Record<string, string>
  readonly directory?: Partial<Directory["Service"]>
  readonly plc?: Partial<PlcDirectory["Service"]>
}

const changed = <Id, S extends object>(
  service: { readonly of: (shape: S) => S } & Effect.Effect<S, never, Id>,
  layer: Layer.Layer<Id>,
  change: Partial<S> = {}
) =>
  Layer.effect(
    // SAFETY: a service's class is its key.
    service as never,
    Effect.map(service, (shape) => ({ ...shape, ...change }))
  ).pipe(Layer.provide(layer)) as Layer.Layer<Id>

/** Everything that the host's methods need, in memory. */
export const world = (accounts: FakeAccounts, overrides: Overrides = {}) => {
  const identity = IdentityMemory.layer({
    documents: [mover],
    handles: { "mover.elsewhere.com": moverDid }
  })
  const base = Layer.mergeAll(
    ConfigEnv.layer({ ...env, ...overrides.env }).pipe(Layer.orDie),
    changed(
      Directory,
      DirectoryD1.layer.pipe(Layer.provide(HostDatabaseNode.layer(":memory:"))),
      overrides.directory
    ),
    changed(PlcDirectory, PlcMemory.layer, overrides.plc),
    KeysMaster.layer({
      masterKey: Redacted.make(new Uint8Array(master)),
      masterKeyPrevious: undefined
    }),
    LimiterMemory.layer,
    MailerNone.layer,
    usedOnce,
    DevicesD1.layer.pipe(Layer.provide(HostDatabaseNode.layer(":memory:"))),
    AddressLimitsLayer.layer(),
    OperatorsD1.layer.pipe(Layer.provide(HostDatabaseNode.layer(":memory:"))),
    Layer.succeed(Accounts, accounts.service),
    PublicCache.layerNone,
    identity,
    ServiceTokens.layer.pipe(Layer.provide(Layer.merge(identity, usedOnce)))
  )
  const reserved = ReservedKeysD1.layer.pipe(Layer.provide(HostDatabaseNode.layer(":memory:")))
  return Layer.mergeAll(
    SignUp.layer.pipe(Layer.provideMerge(Layer.merge(reserved, KnownAccountsDirectory.layer))),
    HostedIdentities.layer,
    AuthHost.layer
  ).pipe(Layer.provideMerge(base))
}

const methods = table("host", [
  ...serverMethods,
  ...identityMethods,
  ...inviteMethods,
  ...tempMethods,
  ...adminAccountMethods,
  ...adminChangeMethods,
  ...adminSubjectMethods
])

/** A complete response. */
export interface Answered {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies of every shape
  readonly body: Record<string, any>
}

/** Calls a method of the host: a query without input, a procedure with one. */
export const call = Effect.fnUntraced(function* (
  nsid: string,
  options: {
    readonly params?: Record<string, string>
    readonly input?: object
    readonly headers?: Record<string, string>
  } = {}
) {
  const url = new URL(`https://pds.host/xrpc/${nsid}?${new URLSearchParams(options.params)}`)
  const { input, headers } = options
  const request = new Request(url, {
    headers: { ...headers, ...(input === undefined ? {} : { "content-type": "application/json" }) },
    ...(input === undefined ? {} : { method: "POST", body: JSON.stringify(input) })
  })
  const response = yield* serve(
    methods,
    { jsonLimit: 100_000, take: takePoint },
    request,
    url
  ).pipe(Effect.provideService(CurrentRequest, currentRequest(request, url)))
  const text = yield* Effect.promise(() => response.text())
  const answered: Answered = {
    status: response.status,
    headers: response.headers,
    body: text === "" ? {} : JSON.parse(text)
  }
  return answered
})
