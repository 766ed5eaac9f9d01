import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { accountDidDocument, type DidDocument, didKeysOf } from "../../core/identity/didDocument.ts"
import { Accounts, type AccountUnavailable } from "./Accounts.ts"
import type { Denied } from "../sessions/Auth.ts"
import { Config, type Settings } from "../host/Config.ts"
import {
  AccountExists,
  Directory,
  type DirectoryUnavailable,
  type EmailTaken,
  HandleNotAvailable,
  type ReservationRefused
} from "./Directory.ts"
import {
  type HandleRefused,
  type HandleReserved,
  type HandleUnproven,
  makeWay
} from "../identity/HandleProof.ts"
import type { InvalidRequest } from "../failures.ts"
import type { RepoNotFound } from "./AccountStore.ts"
import { Identity, type IdentityUnavailable } from "../identity/Identity.ts"
import { Keys, type KeyUnreadable, type PrivateKey } from "../identity/Keys.ts"
import { KnownAccounts } from "./KnownAccounts.ts"
import { leadsHere } from "../identity/HostedDidDocument.ts"
import { PlcDirectory, type PlcRefused, type PlcUnavailable } from "../identity/PlcDirectory.ts"
import { ReservedKeys } from "../identity/ReservedKeys.ts"
import { checkFields, type SignUpFields, type SignUpRequest } from "./signUp/fields.ts"
import { type NewDid, prepareDid } from "./signUp/newDid.ts"
import { checkNewHandle, type Origin, originOf } from "./signUp/origin.ts"
import type { SignUpRefused } from "./signUp/refused.ts"
import { withUndo } from "./signUp/undo.ts"

export type { SignUpRequest } from "./signUp/fields.ts"

/** A new account, signed in. */
export interface SignedUp {
  readonly did: string
  readonly handle: string
  /** Undefined while the DID points to another host, which the official client would follow. */
  readonly didDoc?: DidDocument
  readonly accessJwt: string
  readonly refreshJwt: string
}

/** Why a sign-up failed. */
export type SignUpFailure =
  | SignUpRefused
  | Denied
  | ReservationRefused
  | DirectoryUnavailable
  | IdentityUnavailable
  | PlcRefused
  | PlcUnavailable
  | KeyUnreadable
  | AccountUnavailable
  | InvalidRequest
  | RepoNotFound
  | HandleRefused
  | HandleReserved
  | HandleUnproven

/** Creates accounts completely, or leaves nothing visible. */
export class SignUp extends Context.Service<
  SignUp,
  {
    create(request: SignUpRequest): Effect.Effect<SignedUp, SignUpFailure>
  }
>()("nacre/services/SignUp") {}

/** An account to create. */
interface Candidate extends SignUpFields {
  readonly did: string
  readonly handle: string
  readonly didDoc: DidDocument
  readonly key: PrivateKey
  /** Set if the DID has to be created as well. */
  readonly newDid: NewDid | undefined
  /** False for an account that moves in, which stays deactivated. */
  readonly active: boolean
  /** Lets the administrator assign a handle that is reserved for another account. */
  readonly override: boolean
}

const notEnded = () => Effect.succeed(false)

const isNameTaken = (error: { readonly _tag: string }): error is HandleNotAvailable | EmailTaken =>
  error._tag === "HandleNotAvailable" || error._tag === "EmailTaken"

const make = (services: {
  readonly config: Settings
  readonly accounts: Accounts["Service"]
  readonly directory: Directory["Service"]
  readonly identity: Identity["Service"]
  readonly keys: Keys["Service"]
  readonly plc: PlcDirectory["Service"]
  readonly reserved: ReservedKeys["Service"]
  readonly known: KnownAccounts["Service"]
}): SignUp["Service"] => {
  const { config, accounts, directory, identity, keys, plc, reserved, known } = services

  const destroy = (did: string) => accounts.call(did, "destroy")

  /** Whether the object has an account that the directory lost. */
  const livesHere = (did: string) =>
    accounts.call(did, "summary").pipe(
      Effect.as(true),
      Effect.catchTag("RepoNotFound", () => Effect.succeed(false))
    )

  const identify = Effect.fnUntraced(function* (
    origin: Origin,
    account: {
      readonly handle: string
      readonly signingKey: string
      readonly recoveryKey: string | undefined
    }
  ) {
    if (origin.kind === "moving") return { ...origin, newDid: undefined }
    if (origin.kind === "hosted") {
      const { did } = origin
      const didDoc = accountDidDocument({ did, ...account, pds: config.publicUrl })
      return { did, didDoc, newDid: undefined }
    }
    const newDid = yield* prepareDid(account, config, keys)
    return { did: newDid.did, didDoc: newDid.didDoc, newDid }
  })

  /** Finds the reserved key of a DID, by its name or in its document. */
  const keyFor = Effect.fnUntraced(function* (origin: Origin) {
    if (origin.kind === "new") return yield* keys.generate(config.signingCurve)
    const named = origin.kind === "moving" ? didKeysOf(origin.didDoc) : []
    const made = yield* reserved.find(origin.did, named)
    return made ?? (yield* keys.generate(config.signingCurve))
  })

  const candidateOf = Effect.fnUntraced(function* (request: SignUpRequest) {
    const origin = yield* originOf(request, config, identity)
    // The owner of an account that is here should sign in instead; the rest of the request doesn't
    // matter.
    if (origin.kind === "moving" && (yield* directory.byDid(origin.did)) !== undefined) {
      return yield* new AccountExists({ did: origin.did })
    }
    const fields = yield* checkFields(request, config)
    const handle = yield* checkNewHandle(request, origin, config, identity)
    if (origin.kind !== "new") yield* makeWay(services, handle, origin.did)
    const key = yield* keyFor(origin)
    const account = { handle, signingKey: key.didKey, recoveryKey: request.recoveryKey }
    const { did, didDoc, newDid } = yield* identify(origin, account)
    const active = origin.kind !== "moving"
    const override = request.caller.kind === "admin"
    return { ...fields, did, handle, didDoc, key, newDid, active, override } satisfies Candidate
  })

  /** Ends an interrupted sign-up; an unconfirmed move has no sign-up to end. */
  const endLeft = (did: string) =>
    Effect.catchTag(accounts.call(did, "endSignUp", {}), "AccountExists", () => destroy(did))

  /** Reserves the names and cleans up after abandoned sign-ups. */
  const takeNames = Effect.fnUntraced(function* ({
    did,
    handle,
    email,
    invite,
    override
  }: Candidate) {
    const abandoned = yield* directory.reserve({
      did,
      handle,
      ...(email === undefined ? {} : { email }),
      ...(invite === undefined ? {} : { invite }),
      ...(override ? { override } : {})
    })
    // A DID that signs up again keeps its reservation. Failures are left to the objects' alarms.
    const end = (left: string) => (left === did ? destroy(left) : endLeft(left))
    yield* Effect.forEach(abandoned, (left) => Effect.ignore(end(left)), { discard: true })
  })

  /** Ends the same person's interrupted sign-up that holds the names; false if there is none. */
  const endFormer = Effect.fnUntraced(function* ({ handle, email, newDid, password }: Candidate) {
    // A DID that existed before has its own deadline and must not be ended.
    if (newDid === undefined || email === undefined) return false
    const former = yield* directory.reservedAs({ handle, email })
    if (former === undefined) return false
    const isEnded = yield* accounts
      .call(former, "endSignUp", { password })
      .pipe(Effect.as(true), Effect.catchTags({ AccountExists: notEnded, Denied: notEnded }))
    if (isEnded) yield* directory.abandon(former)
    return isEnded
  })

  const reserve = (candidate: Candidate) =>
    Effect.catchIf(takeNames(candidate), isNameTaken, (taken) =>
      Effect.flatMap(endFormer(candidate), (isEnded) =>
        isEnded ? takeNames(candidate) : Effect.fail(taken)
      )
    )

  const createObject = Effect.fnUntraced(function* (candidate: Candidate) {
    const { did, handle, email, password, key, active, from } = candidate
    const wrapped = yield* keys.wrap(did, key)
    return yield* accounts.call(did, "create", {
      did,
      handle,
      password,
      signingKey: { curve: key.curve, wrapped, didKey: key.didKey },
      active,
      from,
      ...(email === undefined ? {} : { email })
    })
  })

  /** Tried twice, since it takes effect once; the object's alarm is the fallback. */
  const announce = (did: string) =>
    accounts.call(did, "announce").pipe(
      Effect.retry({ times: 1 }),
      Effect.catchCause((cause) => Effect.logWarning("sign-up not announced yet", { did }, cause))
    )

  /**
   * Ends the DID, then the object; leaves both to the object's alarm if PLC is unreachable.
   *
   * Even after a rejection the DID may appear later: a request that timed out may still arrive.
   */
  const endDid = ({ did, tombstone }: NewDid) =>
    plc.submit(did, tombstone).pipe(
      Effect.andThen(destroy(did)),
      Effect.catchTag("PlcRefused", () => accounts.call(did, "endSignUp", {}))
    )

  /** Creates the object before the DID, so a DID that points here always has its repo. */
  const register = (candidate: Candidate) =>
    withUndo((undo, settle) =>
      Effect.gen(function* () {
        const { did, handle, didDoc, newDid, active } = candidate
        yield* reserve(candidate)
        undo("reservation", directory.release(did))
        if (newDid === undefined && (yield* livesHere(did))) {
          return yield* new AccountExists({ did })
        }
        let made: NewDid | undefined
        undo(
          "account",
          Effect.suspend(() => (made === undefined ? destroy(did) : endDid(made)))
        )
        const tokens = yield* createObject(candidate)
        if (newDid !== undefined) {
          made = newDid
          yield* plc
            .submit(did, newDid.genesis)
            .pipe(Effect.tapErrorTag("PlcRefused", () => Effect.sync(() => (made = undefined))))
        }
        yield* identity.forget(did)
        yield* identity.forget(handle)
        // From here on the account exists, and nothing is undone even if the client disconnects.
        yield* Effect.uninterruptible(
          Effect.gen(function* () {
            const isOurs = yield* directory.setStatus(did, active ? "active" : "deactivated")
            // The same person started another sign-up meanwhile, which has the names.
            if (!isOurs) return yield* new HandleNotAvailable({ handle })
            yield* known.forget(did)
            yield* settle
            if (active) yield* announce(did)
            // A leftover expires by itself.
            if (newDid === undefined) yield* Effect.ignore(reserved.remove(did))
          })
        )
        return { did, handle, ...(leadsHere(didDoc, config) ? { didDoc } : {}), ...tokens }
      })
    )

  return SignUp.of({
    create: Effect.fn("SignUp.create")((request: SignUpRequest) =>
      Effect.flatMap(candidateOf(request), register)
    )
  })
}

/** Signs up with the account objects, the directory and the PLC directory. */
export const layer: Layer.Layer<
  SignUp,
  never,
  Config | Accounts | Directory | Identity | Keys | KnownAccounts | PlcDirectory | ReservedKeys
> = Layer.effect(
  SignUp,
  Effect.gen(function* () {
    return make({
      config: yield* Config,
      accounts: yield* Accounts,
      directory: yield* Directory,
      identity: yield* Identity,
      keys: yield* Keys,
      plc: yield* PlcDirectory,
      reserved: yield* ReservedKeys,
      known: yield* KnownAccounts
    })
  })
)
