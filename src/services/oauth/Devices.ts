import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { OAuthStoreUnavailable } from "./OAuthRequests.ts"

/** A browser's description of itself. */
export interface DeviceTraits {
  readonly userAgent: string | undefined
  /** The client's address, preceded by its place if known. */
  readonly address: string
}

/** A browser, identified by a cookie whose hash is stored. */
export interface Device extends DeviceTraits {
  readonly id: string
  readonly createdAt: number
  readonly seenAt: number
}

/** An account that is signed in on a device. */
export interface DeviceAccount {
  readonly did: string
  /** When its owner last signed in on this device, in milliseconds. */
  readonly authenticatedAt: number
  /** False: for this visit only, which ends a quarter of an hour after the sign-in. */
  readonly remembered: boolean
}

type Answer<A> = Effect.Effect<A, OAuthStoreUnavailable>

/** Browsers, and the accounts signed in on them (D1). */
export class Devices extends Context.Service<
  Devices,
  {
    /** Creates a device; this is the only time the cookie's value is returned. */
    create(traits: DeviceTraits): Answer<{ readonly device: Device; readonly cookie: string }>
    /** The device of a cookie, if any; updates its last use, at most every few minutes. */
    find(cookie: string, traits: DeviceTraits): Answer<Device | undefined>
    /**
     * Signs an account in. The device gets a new cookie (and id), which makes a cookie planted
     * before worthless; accounts and requests of the old one move to the new one.
     */
    signIn(
      device: string,
      account: { readonly did: string; readonly remembered: boolean }
    ): Answer<{ readonly device: string; readonly cookie: string }>
    /** The accounts signed in here, last used first. */
    accounts(device: string): Answer<ReadonlyArray<DeviceAccount>>
    /** The account, if it is signed in on this device. */
    account(device: string, did: string): Answer<DeviceAccount | undefined>
    signOut(device: string, did: string): Answer<void>
    /** The devices on which an account is signed in, last seen first. */
    ofAccount(did: string): Answer<ReadonlyArray<Device & DeviceAccount>>
    /**
     * Signs an account out everywhere except on the named device, and revokes codes issued there.
     */
    signOutAll(did: string, options?: { readonly except?: string }): Answer<void>
  }
>()("nacre/services/Devices") {}
