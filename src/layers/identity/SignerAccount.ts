import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { Keys } from "../../services/identity/Keys.ts"
import { Signer, type SignerShape } from "../../services/identity/Signer.ts"

/**
 * Signs with the key of this object's account, which it unwraps on first use and keeps in memory.
 */
export const layer = Layer.effect(
  Signer,
  Effect.gen(function* () {
    const accounts = yield* AccountStore
    const keys = yield* Keys
    let ready: { readonly didKey: string; readonly signer: SignerShape } | undefined

    const current = Effect.gen(function* () {
      const { did, signingKey } = yield* accounts.get
      if (ready?.didKey === signingKey.didKey) return ready.signer
      const signer = yield* keys.signer(yield* keys.unwrap(did, signingKey.wrapped))
      ready = { didKey: signingKey.didKey, signer }
      return signer
      // Without an account, or under another master key, there is no key: a defect.
    }).pipe(Effect.orDie)

    /** The signer, unless its key has to be waited for: K-256 only needs unwrapping. */
    const signerNow = (): SignerShape | undefined => {
      const key = accounts.peek()?.signingKey
      const isReady = () => ready !== undefined && ready.didKey === key?.didKey
      // A key that can't be unwrapped is reported where the signature is waited for.
      if (!isReady() && key?.curve === "k256") Effect.runSyncExit(current)
      return isReady() ? ready?.signer : undefined
    }

    return Signer.of({
      get curve() {
        return accounts.peek()?.signingKey.curve ?? "k256"
      },
      get didKey() {
        return accounts.peek()?.signingKey.didKey ?? ""
      },
      sign: (bytes) => Effect.flatMap(current, (signer) => signer.sign(bytes)),
      get signNow() {
        return signerNow()?.signNow
      }
    })
  })
)
