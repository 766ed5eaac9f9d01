import { Buffer } from "node:buffer"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { CarVerifier, isCarFault, type VerifiedCar } from "../../core/backups/CarVerifier.ts"
import type { Stored } from "../../core/backups/manifests.ts"
import { Accounts } from "../accounts/Accounts.ts"
import { Config } from "../host/Config.ts"
import { BackupDamaged, BackupSourceFailed, backupTarget } from "./BackupTarget.ts"
import { assertSame, readObject } from "./objects.ts"

/** The account's own export, asked for as the administrator: those that are inactive have one too. */
const exportOf = Effect.fnUntraced(function* (did: string) {
  const { adminPassword, publicUrl } = yield* Config
  const credentials = Buffer.from(`admin:${Redacted.value(adminPassword)}`).toString("base64")
  const request = new Request(
    `${publicUrl}/xrpc/com.atproto.sync.getRepo?did=${encodeURIComponent(did)}`,
    { headers: { authorization: `Basic ${credentials}` } }
  )
  return yield* (yield* Accounts).forward(did, request)
})

/** Streams an account's repo into the store. */
export const writeCar = Effect.fnUntraced(function* (did: string, key: string) {
  const response = yield* exportOf(did)
  const size = Number(response.headers.get("content-length"))
  if (response.status !== 200 || response.body === null || !(size > 0)) {
    yield* Effect.ignore(Effect.tryPromise(() => response.body?.cancel() ?? Promise.resolve()))
    return yield* new BackupSourceFailed({ key, cause: `the export answered ${response.status}` })
  }
  const digest = yield* (yield* backupTarget).put(key, response.body, size)
  return { key, size, digest } satisfies Stored
})

/** Reads a CAR back: its bytes, its signature, its whole tree, every record. */
export const verifyCar = Effect.fnUntraced(function* (
  written: Stored,
  expected: { readonly did: string; readonly signingKey: string }
) {
  const verifier = new CarVerifier(expected)
  let fault: string | undefined
  const guarded = <A>(step: () => A): A | undefined => {
    if (fault !== undefined) return undefined
    const done = Result.try({ try: step, catch: (error) => error })
    if (Result.isSuccess(done)) return done.success
    if (!isCarFault(done.failure)) throw done.failure
    fault = done.failure.message
    return undefined
  }
  const read = yield* readObject(written.key, (piece) => guarded(() => verifier.push(piece)))
  yield* assertSame(written, read)
  const verified: VerifiedCar | undefined = guarded(() => verifier.end())
  if (verified !== undefined) return verified
  const problem = `is not the whole repo: ${fault ?? "it cannot be read"}`
  return yield* new BackupDamaged({ key: written.key, problem })
})
