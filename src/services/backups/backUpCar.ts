import { Buffer } from "node:buffer"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Stored } from "../../core/backups/manifests.ts"
import { Accounts } from "../accounts/Accounts.ts"
import { Config } from "../host/Config.ts"
import { BackupDamaged, BackupSourceFailed, backupTarget } from "./BackupTarget.ts"
import { guardedVerifier } from "./guardedVerifier.ts"
import { assertSame, readObject } from "./objects.ts"

/** Requests the account's export as the administrator, who may also export inactive accounts. */
export const exportOf = Effect.fnUntraced(function* (did: string) {
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

/** Reads back a CAR and verifies its bytes, its signature, the whole tree and every record. */
export const verifyCar = Effect.fnUntraced(function* (
  written: Stored,
  expected: { readonly did: string; readonly signingKey: string }
) {
  const verifier = guardedVerifier(expected)
  const read = yield* readObject(written.key, verifier.push)
  yield* assertSame(written, read)
  const verified = verifier.end()
  if (typeof verified !== "string") return verified
  const problem = `is not a complete repo: ${verified}`
  return yield* new BackupDamaged({ key: written.key, problem })
})
