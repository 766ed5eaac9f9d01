import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { OAuthStoreUnavailable } from "./OAuthRequests.ts"

/** What a browser tells of itself. */
export interface DeviceTraits {
  readonly userAgent: string | undefined
  readonly address: string
}

/** A browser that has been here: known by a cookie, of which the hash is stored. */
export interface Device extends DeviceTraits {
  readonly id: string
  readonly createdAt: number
  readonly seenAt: number
}

/** An account that is signed in on a device. */
export interface DeviceAccount {
  readonly did: string
  /** When its owner last proved themselves on this device, in milliseconds. */
  readonly authenticatedAt: number
  /** False: for this visit only; it is over a quarter of an hour after the proof. */
  readonly remembered: boolean
}

type Answer<A> = Effect.Effect<A, OAuthStoreUnavailable>

/** Browsers, and the accounts that are signed in on them (D1). */
export class Devices extends Context.Service<
  Devices,
  {
    /** Makes a device; answers the cookie's value, which is told this once. */
    create(traits: DeviceTraits): Answer<{ readonly device: Device; readonly cookie: string }>
    /** The device of a cookie, if it is one; notes that it was seen, at most every few minutes. */
    find(cookie: string, traits: DeviceTraits): Answer<Device | undefined>
    /**
     * Signs an account in. The device gets a new cookie (and id), so that one planted before is worth nothing;
     * accounts and requests that the old one had go over to the new one.
     */
    signIn(
      device: string,
      account: { readonly did: string; readonly remembered: boolean }
    ): Answer<{ readonly device: string; readonly cookie: string }>
    /** The accounts signed in here that are not over, the last used first. */
    accounts(device: string): Answer<ReadonlyArray<DeviceAccount>>
    /** The account as it is signed in on this device, if it is. */
    account(device: string, did: string): Answer<DeviceAccount | undefined>
    signOut(device: string, did: string): Answer<void>
    /** The devices on which an account is signed in, the last seen first. */
    ofAccount(did: string): Answer<ReadonlyArray<Device & DeviceAccount>>
    /** Signs an account out everywhere, but for the device that is named; codes that were given there open nothing. */
    signOutAll(did: string, options?: { readonly except?: string }): Answer<void>
  }
>()("nacre/services/Devices") {}
