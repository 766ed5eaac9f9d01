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
  /** Nothing while the DID leads to another host: the official client would follow it there. */
  readonly didDoc?: DidDocument
  readonly accessJwt: string
  readonly refreshJwt: string
}

/** Why somebody did not become an account. */
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

/** Makes accounts: all of it, or nothing that anybody could see. */
export class SignUp extends Context.Service<
  SignUp,
  {
    create(request: SignUpRequest): Effect.Effect<SignedUp, SignUpFailure>
  }
>()("nacre/services/SignUp") {}

/** An account about to be made. */
interface Candidate extends SignUpFields {
  readonly did: string
  readonly handle: string
  readonly didDoc: DidDocument
  readonly key: PrivateKey
  /** The DID is to be made as well. */
  readonly newDid: NewDid | undefined
  /** One that moves in stays deactivated. */
  readonly active: boolean
  /** By the administrator, who may give away a handle that is kept for another account. */
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

  /** Does the object hold an account that the directory does not know (a directory lost and rebuilt)? */
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

  /** A DID that exists may have reserved a key before, under its name or by naming the key in its document. */
  const keyFor = Effect.fnUntraced(function* (origin: Origin) {
    if (origin.kind === "new") return yield* keys.generate(config.signingCurve)
    const named = origin.kind === "moving" ? didKeysOf(origin.didDoc) : []
    const made = yield* reserved.find(origin.did, named)
    return made ?? (yield* keys.generate(config.signingCurve))
  })

  const candidateOf = Effect.fnUntraced(function* (request: SignUpRequest) {
    const origin = yield* originOf(request, config, identity)
    // Who comes back to an account that is here signs in to it: nothing else of the request matters.
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

  /** Ends what was cut off; a move that nobody confirmed has no sign-up to end. */
  const endLeft = (did: string) =>
    Effect.catchTag(accounts.call(did, "endSignUp", {}), "AccountExists", () => destroy(did))

  /** Takes the names; what an abandoned sign-up left behind is cleared away. */
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
    // A DID that signs up again keeps its reservation. What fails is left to the alarms of the objects.
    const end = (left: string) => (left === did ? destroy(left) : endLeft(left))
    yield* Effect.forEach(abandoned, (left) => Effect.ignore(end(left)), { discard: true })
  })

  /** Ends a sign-up of the same person that was cut off and holds the names; false where there is none. */
  const endFormer = Effect.fnUntraced(function* ({ handle, email, newDid, password }: Candidate) {
    // A DID that existed before has its own wait, and must not be ended.
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
    const { did, handle, email, password, key, active } = candidate
    const wrapped = yield* keys.wrap(did, key)
    return yield* accounts.call(did, "create", {
      did,
      handle,
      password,
      signingKey: { curve: key.curve, wrapped, didKey: key.didKey },
      active,
      ...(email === undefined ? {} : { email })
    })
  })

  /** Asked twice, since it happens once; the object's alarm does it in the end. */
  const announce = (did: string) =>
    accounts.call(did, "announce").pipe(
      Effect.retry({ times: 1 }),
      Effect.catchCause((cause) => Effect.logWarning("sign-up not announced yet", { did }, cause))
    )

  /**
   * Ends the DID, then the object; while the PLC directory is out of reach both are left to the object's alarm.
   *
   * A directory that refuses may not have the DID yet: whoever stopped waiting does not know.
   */
  const endDid = ({ did, tombstone }: NewDid) =>
    plc.submit(did, tombstone).pipe(
      Effect.andThen(destroy(did)),
      Effect.catchTag("PlcRefused", () => accounts.call(did, "endSignUp", {}))
    )

  /** The object before the DID: a DID that points here is never without its repo. */
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
        // From here on the account is there: nothing is undone, whoever stops waiting.
        yield* Effect.uninterruptible(
          Effect.gen(function* () {
            const isOurs = yield* directory.setStatus(did, active ? "active" : "deactivated")
            // The same person began again meanwhile, and that sign-up has the names.
            if (!isOurs) return yield* new HandleNotAvailable({ handle })
            yield* known.forget(did)
            yield* settle
            if (active) yield* announce(did)
            // What stays behind is forgotten by itself.
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

/** Sign-up over the account objects, the directory and the PLC directory. */
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
