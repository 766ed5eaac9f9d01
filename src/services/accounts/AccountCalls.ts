import type { AdminCalls } from "./adminCalls.ts"
import type { ImportCalls } from "../repo/importCalls.ts"
import type { LocalRecordCalls } from "../repo/localRecordCalls.ts"
import type { OAuthCalls } from "../oauth/oauthCalls.ts"
import type { OwnershipCalls } from "./ownershipCalls.ts"
import type { PasskeyLinkCalls } from "../factors/passkeyLinkCalls.ts"
import type { ProxyCalls } from "../proxy/proxyCalls.ts"
import type { RecoveryCalls } from "../sessions/recoveryCalls.ts"
import type { MethodCalls } from "../sessions/methodCalls.ts"
import type { SecurityCalls } from "../sessions/securityCalls.ts"
import type { Caller } from "../sessions/Authority.ts"
import type { InactiveStatus } from "../stream/Sequencer.ts"

/** Where a stored blob lies and what it is. */
export interface BlobLocation {
  readonly cid: string
  /** The R2 key: random, made before the content was known. */
  readonly key: string
  readonly mimeType: string
  readonly size: number
}

/** What the host needs to know of an account to answer for it. */
export interface AccountSummary {
  readonly did: string
  readonly handle: string
  /** The did:key of the repo's signing key. */
  readonly signingKey: string
  readonly active: boolean
  readonly status?: InactiveStatus
  /** When its owner proved that the e-mail address is theirs (ISO). */
  readonly emailConfirmedAt?: string
  /** Since when its owner has it deactivated (ISO). */
  readonly deactivatedAt?: string
  /** When it is deleted, if nobody does anything. */
  readonly deleteAfter?: string
}

/** Whether an answer may be remembered at the edge: see EdgeGate. */
export interface Shared {
  readonly shared: boolean
}

/** The credential headers of a request, handed on to the object that can judge them. */
export interface Credentials {
  readonly authorization?: string
  readonly dpop?: string
  readonly method: string
  readonly url: string
}

/**
 * The internal methods of an account's object, called by the Worker.
 *
 * Inputs and outputs are structured-cloneable.
 */
export interface AccountCalls
  extends
    AdminCalls,
    OAuthCalls,
    OwnershipCalls,
    SecurityCalls,
    PasskeyLinkCalls,
    RecoveryCalls,
    ProxyCalls,
    LocalRecordCalls,
    MethodCalls,
    ImportCalls {
  /** Makes the account, its keys and its empty repo; nothing is announced until `announce`. */
  create: {
    input: {
      readonly did: string
      readonly handle: string
      readonly email?: string
      readonly password?: string
      /** The wrapped signing key made for this account. */
      readonly signingKey: {
        readonly curve: "k256" | "p256"
        readonly wrapped: Uint8Array
        readonly didKey: string
      }
      /** False for an account that moves in: it stays deactivated. */
      readonly active: boolean
    }
    output: { readonly accessJwt: string; readonly refreshJwt: string }
  }
  /** Puts the sign-up events (identity, account, commit, sync) into the outbox and delivers them. */
  announce: { input: Record<string, never>; output: void }
  /** Removes everything that the object stores; used when a sign-up fails half way. */
  destroy: { input: Record<string, never>; output: void }
  /** Ends a sign-up that was cut off, with its DID; rejected where the password is not that sign-up's, or the account is valid. */
  endSignUp: { input: { readonly password?: string }; output: void }
  /** Gives the handle up if its domain proves another DID by now. */
  verifyHandle: { input: Record<string, never>; output: void }
  summary: { input: Record<string, never>; output: AccountSummary & Shared }
  /** May this caller upload a blob of this type and size? */
  authorizeUpload: {
    input: Credentials & { readonly mimeType: string; readonly size?: number }
    /** The R2 key to write to: noted before the first byte, so that what is never recorded can be swept. */
    output: { readonly key: string; readonly limit: number; readonly caller: Caller }
  }
  /** Records an uploaded blob as temporary (or permanent at once when a record already refers to it). */
  recordUpload: {
    input: BlobLocation & {
      readonly caller?: Caller
      /** The type that the bytes tell, where they tell one. */
      readonly sniffed?: string
    }
    /** The blob as it is kept: content that was here before keeps its older type. */
    output: BlobLocation
  }
  /** Where a blob that may be served lies. */
  locateBlob: {
    input: { readonly cid: string; readonly credentials?: Credentials }
    output: BlobLocation & Shared
  }
}
