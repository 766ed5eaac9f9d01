import { randomUUID } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { AccountCalls } from "../../services/accounts/AccountCalls.ts"
import { AccountLimits } from "../../services/limits/AccountLimits.ts"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { Auth } from "../../services/sessions/Auth.ts"
import type { Authority } from "../../services/sessions/Authority.ts"
import { BlobIndex } from "../../services/blobs/BlobIndex.ts"
import { BlobStore } from "../../services/blobs/BlobStore.ts"
import { armSweep } from "../../services/blobs/BlobSweep.ts"
import { Config } from "../../services/host/Config.ts"
import { RepoImport } from "../../services/repo/RepoImport.ts"
import { InvalidRequest, PayloadTooLarge } from "../../services/failures.ts"

const nsid = "com.atproto.repo.importRepo"
const needs = [{ resource: "account", attr: "repo", action: "manage" }] as const
/** What an import demands of its caller. */
export const importAuthority: Authority = { kind: "session", level: "full", oauth: () => needs }

/** How often an account may import: each rewrites all that it holds. */
const importLimits = [
  { limit: 20, windowSeconds: 3600 },
  { limit: 60, windowSeconds: 86_400 }
]

/** Judges an import before its first byte, and notes the key under which it is staged. */
export const authorizeImport = Effect.fnUntraced(function* (
  input: AccountCalls["authorizeImport"]["input"]
) {
  const { acceptImports, importLimit: limit } = yield* Config
  const auth = yield* Auth
  yield* auth.permit(yield* auth.authenticate(input, importAuthority, nsid), needs)
  if (!acceptImports) {
    return yield* new InvalidRequest({ message: "This server does not accept imports of repos" })
  }
  if ((input.size ?? 0) > limit) return yield* new PayloadTooLarge({ limit })
  yield* (yield* RepoImport).admit
  yield* (yield* AccountLimits).take("importRepo", importLimits)
  const { did } = yield* (yield* AccountStore).get
  const key = `${did}/${randomUUID()}`
  ;(yield* BlobIndex).noteUpload(key, yield* Clock.currentTimeMillis)
  yield* armSweep
  return { key, limit }
})

/** Imports what is staged; it is not needed any more then, however that ends. */
export const importRepo = Effect.fnUntraced(function* ({
  key
}: AccountCalls["importRepo"]["input"]) {
  const imports = yield* RepoImport
  const accounts = yield* AccountStore
  const store = yield* BlobStore
  const blobs = yield* BlobIndex
  const remove = Effect.map(store.delete([key]), () => {
    // An account that is gone has taken its rows along.
    if (accounts.peek() !== undefined) blobs.dropUpload(key)
  })
  // Where the store fails the row stays, and the sweep tries again.
  return yield* Effect.ensuring(imports.run(key), Effect.ignore(remove))
})
