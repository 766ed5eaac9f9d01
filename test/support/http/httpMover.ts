import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import {
  didOfGenesis,
  genesisOperation,
  type PlcData,
  type PlcOperation,
  tombstoneOperation,
  unsignedBytes,
  updateOperation,
  withSignature
} from "../../../src/core/identity/plcOperation.ts"
import { signedServiceJwt, unsignedServiceJwt } from "../../../src/core/sessions/serviceJwt.ts"
import { fromPrivateKey } from "../../../src/layers/identity/SignerKeys.ts"
import { type Host, origin, serviceDid } from "./httpHost.ts"

/** A person with a did:plc and an account elsewhere, who holds all keys. */
export interface Mover {
  readonly did: string
  /** A service token to this host for a method. */
  token(lxm: string, claims?: { readonly iss?: string }): Promise<string>
  /** Points the DID to this host, with these keys. */
  pointHere(keys: { readonly signing: string; readonly rotation: string }): Promise<void>
  /** Changes the DID's data once. */
  change(data: Partial<PlcData>): Promise<void>
  /** The operation after the first, signed with the mover's own key but not submitted. */
  signed(change: Partial<PlcData>): Promise<PlcOperation>
  /** Tombstones the DID. */
  tombstone(): Promise<void>
}

/** The first operation of a DID from before 2023. */
export interface Legacy {
  readonly recoveryKey: string
}

/** Creates a DID in the host's PLC directory. */
export const makeMover = async (host: Host, seed: number, legacy?: Legacy): Promise<Mover> => {
  const secret = Redacted.make(new Uint8Array(32).fill(seed))
  const signer = await Effect.runPromise(fromPrivateKey("k256", secret))
  const sign = (bytes: Uint8Array) => Effect.runPromise(signer.sign(bytes))
  const submit = async (did: string, operation: PlcOperation) => {
    const response = await fetch(`${host.network.env["PLC_URL"]}/${did}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(operation)
    })
    if (!response.ok) throw new Error(await response.text())
  }
  const unsigned =
    legacy === undefined
      ? genesisOperation({
          rotationKeys: [signer.didKey],
          verificationMethods: { atproto: signer.didKey },
          alsoKnownAs: ["at://mover.elsewhere.com"],
          services: {
            atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: "https://elsewhere.com" }
          }
        })
      : ({
          type: "create",
          signingKey: signer.didKey,
          handle: "mover.elsewhere.com",
          service: "https://elsewhere.com",
          prev: null,
          ...legacy
        } as const)
  const genesis = withSignature(unsigned, await sign(unsignedBytes(unsigned)))
  const did = didOfGenesis(genesis)
  await submit(did, genesis)
  const signed = async (change: Partial<PlcData>) => {
    const next = updateOperation(genesis, change)
    return withSignature(next, await sign(unsignedBytes(next)))
  }
  const change = async (data: Partial<PlcData>) => submit(did, await signed(data))
  return {
    did,
    change,
    signed,
    token: async (lxm, claims = {}) => {
      const iat = Math.floor(host.now() / 1000)
      const all = { iss: did, aud: serviceDid, lxm, iat, exp: iat + 60, ...claims }
      const text = unsignedServiceJwt("k256", { ...all, jti: crypto.randomUUID() })
      return signedServiceJwt(text, await sign(new TextEncoder().encode(text)))
    },
    pointHere: ({ signing, rotation }) =>
      change({
        rotationKeys: [rotation, signer.didKey],
        verificationMethods: { atproto: signing },
        services: { atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: origin } }
      }),
    tombstone: async () => {
      const end = tombstoneOperation(genesis)
      await submit(did, withSignature(end, await sign(unsignedBytes(end))))
    }
  }
}
