import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { BlobMeter } from "../../core/blobs/meter.ts"
import { concatBytes } from "../../core/bytes/bytes.ts"
import type { Fault, Stored } from "../../core/backups/manifests.ts"
import { openText, signText } from "../../core/backups/signedText.ts"
import { Config } from "../host/Config.ts"
import { hkdfKeys } from "../host/derivedSecrets.ts"
import { sealer } from "../host/sealedSecrets.ts"
import { BackupDamaged, backupTarget, BackupTargetFailed } from "./BackupTarget.ts"

/** How often a failed write of a small object is retried. */
const retries = 2

/** The largest object that is read as a whole, in bytes. */
const maxWhole = 16 * 1024 * 1024

const manifestKeys = Effect.map(Config, (config) => hkdfKeys(config, "backup manifests"))

const rowsSealer = Effect.map(Config, (config) => sealer(config, "backups/1"))

/** Bytes as a body. */
const bodyOf = (bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> =>
  new Blob([bytes]).stream()

/** Stores bytes; returns their key, size and digest for later checks. */
const putBytes = Effect.fnUntraced(function* (key: string, bytes: Uint8Array<ArrayBuffer>) {
  const target = yield* backupTarget
  const putting = Effect.suspend(() => target.put(key, bodyOf(bytes), bytes.byteLength))
  const digest = yield* Effect.retry(putting, { times: retries })
  return { key, size: bytes.byteLength, digest } satisfies Stored
})

/** Streams an object, yielding between pieces; returns its size and CID. */
export const readObject = Effect.fnUntraced(function* (
  key: string,
  take: (piece: Uint8Array) => void = () => {}
) {
  const object = yield* (yield* backupTarget).get(key)
  if (object === undefined) return yield* new BackupDamaged({ key, problem: "is missing" })
  const meter = new BlobMeter()
  const reader = object.body.getReader()
  const failed = (cause: unknown) => new BackupTargetFailed({ operation: "read", key, cause })
  const reading = Effect.gen(function* () {
    while (true) {
      const { done, value } = yield* Effect.tryPromise({
        try: () => reader.read(),
        catch: failed
      })
      if (done) return
      meter.update(value)
      take(value)
      yield* Effect.yieldNow
    }
  })
  yield* Effect.ensuring(reading, Effect.ignore(Effect.tryPromise(() => reader.cancel())))
  const { size, cid: digest } = meter.finish()
  return { key, size, digest } satisfies Stored
})

/** Fails if an object differs from what was written. */
export const assertSame = (written: Stored, read: Stored) =>
  written.size === read.size && written.digest === read.digest
    ? Effect.void
    : Effect.fail(
        new BackupDamaged({
          key: written.key,
          problem: "is not what was written: its bytes were changed"
        })
      )

const readWhole = Effect.fnUntraced(function* (key: string) {
  const pieces: Array<Uint8Array> = []
  let size = 0
  const read = yield* readObject(key, (piece) => {
    size += piece.byteLength
    if (size <= maxWhole) pieces.push(piece.slice())
  })
  if (size > maxWhole) return yield* new BackupDamaged({ key, problem: "is too large" })
  return { read, bytes: concatBytes(pieces) }
})

/** Reads a small object and checks its size and digest. */
export const getBytes = Effect.fnUntraced(function* (written: Stored) {
  const { read, bytes } = yield* readWhole(written.key)
  yield* assertSame(written, read)
  return bytes
})

/** Stores JSON, authenticated with the master key. */
export const putManifest = Effect.fnUntraced(function* (key: string, value: unknown) {
  const [current] = yield* manifestKeys
  return yield* putBytes(key, signText(current!, key, value))
})

/** Reads authenticated JSON, or undefined if the object is missing. */
export const findManifest = Effect.fnUntraced(function* <
  S extends Schema.ConstraintDecoder<unknown>
>(key: string, schema: S) {
  if ((yield* (yield* backupTarget).get(key)) === undefined) return undefined
  return yield* getManifest(key, schema)
})

/** Reads authenticated JSON, and whether the current master key signed it. */
export const readManifest = Effect.fnUntraced(function* <
  S extends Schema.ConstraintDecoder<unknown>
>(key: string, schema: S) {
  const { bytes } = yield* readWhole(key)
  const texts = (yield* manifestKeys).map((signingKey) => openText(signingKey, key, bytes))
  const text = texts.find((opened) => opened !== undefined)
  if (text === undefined) {
    const problem =
      "was changed, or written under another MASTER_KEY. If it is from before a rotation, set that key as MASTER_KEY_PREVIOUS"
    return yield* new BackupDamaged({ key, problem })
  }
  const value = yield* Effect.mapError(
    Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text),
    () => new BackupDamaged({ key, problem: "has a format that this version doesn't know" })
  )
  return { value, isCurrent: texts[0] !== undefined }
})

/** Reads authenticated JSON. */
export const getManifest = <S extends Schema.ConstraintDecoder<unknown>>(key: string, schema: S) =>
  Effect.map(readManifest(key, schema), ({ value }) => value)

/** Stores bytes, encrypted under the master key. */
export const putSealed = Effect.fnUntraced(function* (key: string, bytes: Uint8Array) {
  return yield* putBytes(key, yield* (yield* rowsSealer).seal(key, bytes))
})

/** Reads encrypted bytes. */
export const getSealed = Effect.fnUntraced(function* (written: Stored) {
  const sealed = yield* getBytes(written)
  const opening = (yield* rowsSealer).open(written.key, sealed)
  const opened = yield* Effect.catchCause(Effect.map(opening, Option.some), () =>
    Effect.succeed(Option.none<Uint8Array>())
  )
  if (Option.isSome(opened)) return opened.value
  const problem =
    "can't be decrypted: it was encrypted under another MASTER_KEY. If it is from before a rotation, set that key as MASTER_KEY_PREVIOUS"
  return yield* new BackupDamaged({ key: written.key, problem })
})

/** Every object below a prefix. */
export const listAll = Effect.fnUntraced(function* (prefix: string) {
  const target = yield* backupTarget
  const sizes = new Map<string, number>()
  let cursor: string | undefined
  do {
    const page: Effect.Success<ReturnType<typeof target.list>> = yield* target.list(prefix, cursor)
    for (const { key, size } of page.objects) sizes.set(key, size)
    cursor = page.cursor
  } while (cursor !== undefined)
  return sizes
})

/** Counts what is read, and records damage instead of failing, so the rest is still read. */
export const damageCounter = (did?: string) => {
  const faults: Array<Fault> = []
  const state = { faults, sound: 0 }
  const noting = <A, E, R>(reading: Effect.Effect<A, E, R>) =>
    Effect.matchEffect(reading, {
      onSuccess: (value) => {
        state.sound++
        return Effect.succeed<A | undefined>(value)
      },
      onFailure: (failure) => {
        if (!(failure instanceof BackupDamaged)) return Effect.fail(failure)
        const { key, problem } = failure
        faults.push({ ...(did === undefined ? {} : { did }), key, problem })
        return Effect.undefined
      }
    })
  return { state, noting }
}
