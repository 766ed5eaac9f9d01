import * as Effect from "effect/Effect"
import { documentOf } from "../../../core/identity/plcLog.ts"
import {
  didOfGenesis,
  genesisOperation,
  type PlcData,
  type PlcOperation,
  tombstoneOperation,
  unsignedBytes,
  withSignature
} from "../../../core/identity/plcOperation.ts"
import type { DidDocument } from "../../../core/identity/didDocument.ts"
import type { Settings } from "../../host/Config.ts"
import { type Keys, rotationKey } from "../../identity/Keys.ts"

/** A did:plc that is ready to be created, and its tombstone. */
export interface NewDid {
  readonly did: string
  readonly didDoc: DidDocument
  readonly genesis: PlcOperation
  readonly tombstone: PlcOperation
}

/** Prepares a did:plc with the owner's recovery key before this host's rotation key. */
export const prepareDid = Effect.fnUntraced(function* (
  account: {
    readonly handle: string
    readonly signingKey: string
    readonly recoveryKey: string | undefined
  },
  config: Settings,
  keys: Keys["Service"]
): Effect.fn.Return<NewDid> {
  const signer = yield* keys.signer(rotationKey(config))
  const rotationKeys = [account.recoveryKey, signer.didKey].filter((key) => key !== undefined)
  const data: PlcData = {
    rotationKeys: [...new Set(rotationKeys)],
    verificationMethods: { atproto: account.signingKey },
    alsoKnownAs: [`at://${account.handle}`],
    services: {
      atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: config.publicUrl }
    }
  }
  const unsigned = genesisOperation(data)
  const genesis = withSignature(unsigned, yield* signer.sign(unsignedBytes(unsigned)))
  const end = tombstoneOperation(genesis)
  const tombstone = withSignature(end, yield* signer.sign(unsignedBytes(end)))
  const did = didOfGenesis(genesis)
  return { did, didDoc: documentOf(did, data), genesis, tombstone }
})
