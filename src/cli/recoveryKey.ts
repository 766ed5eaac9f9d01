import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { nacre } from "../../scripts/project.ts"
import {
  type Curve,
  formatDidKey,
  generatePrivateKey,
  isDidKey,
  publicKeyOf
} from "../core/identity/didKey.ts"
import { Failed } from "./failure.ts"
import { refuseWorkTree } from "./gitTree.ts"

/** A key with which its owner changes a DID without a server: the first of its rotation keys. */
export interface RecoveryKey {
  readonly curve: Curve
  readonly didKey: string
  /** 32 bytes. */
  readonly secret: Redacted.Redacted<Uint8Array>
}

const KeyFile = Schema.fromJsonString(
  Schema.Struct({
    type: Schema.Literal("nacre-recovery-key"),
    curve: Schema.Literals(["k256", "p256"]),
    didKey: Schema.String,
    privateKey: Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/i)),
    createdAt: Schema.String
  })
)

const keyOf = (curve: Curve, secret: Uint8Array): RecoveryKey => ({
  curve,
  didKey: formatDidKey(publicKeyOf(curve, secret)),
  secret: Redacted.make(secret)
})

const hexOf = (key: RecoveryKey): string => Buffer.from(Redacted.value(key.secret)).toString("hex")

/** Creates a recovery key without storing it. */
export const makeRecoveryKey = Effect.sync(() => keyOf("k256", generatePrivateKey("k256")))

/** Writes a recovery key to a new file, readable only by its owner. */
export const saveRecoveryKey = Effect.fnUntraced(function* (key: RecoveryKey, file: string) {
  const files = yield* FileSystem.FileSystem
  yield* refuseWorkTree(file)
  const content: typeof KeyFile.Type = {
    type: "nacre-recovery-key",
    curve: key.curve,
    didKey: key.didKey,
    privateKey: hexOf(key),
    createdAt: new Date(yield* Clock.currentTimeMillis).toISOString()
  }
  const text = `${JSON.stringify(content, null, 2)}\n`
  yield* files.writeFileString(file, text, { flag: "wx", mode: 0o600 }).pipe(
    Effect.mapError(
      (error) =>
        new Failed({
          message:
            error.reason._tag === "AlreadyExists"
              ? `${file} already exists. Keys are never overwritten`
              : error.reason._tag === "NotFound"
                ? `The folder of ${file} doesn't exist`
                : `Couldn't write ${file}: ${error.message}`,
          next: "Choose another file."
        })
    )
  )
})

/** A key's text without a file's other fields: the QR code of a printout, or 32 bytes in hexadecimal (K-256). */
const bareKey = (text: string) => {
  const [, curve, privateKey] =
    /^\s*(?:nacre-recovery-key:(p256|k256):)?([0-9a-f]{64})\s*$/i.exec(text) ?? []
  if (privateKey === undefined) return undefined
  return { curve: curve === "p256" ? ("p256" as const) : ("k256" as const), privateKey }
}

/** Reads a recovery key from its file, or from a file with the text of a printout's QR code. */
export const readRecoveryKey = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(
    files.readFileString(file),
    () =>
      new Failed({
        message: `Couldn't read ${file}`,
        next: `Name the key's file, or create a key: ${nacre} key recovery make <file>`
      })
  )
  const wrong = new Failed({
    message: `${file} doesn't contain a recovery key`,
    next: `Name another file, or create a key: ${nacre} key recovery make <file>`
  })
  const { curve, privateKey } =
    bareKey(text) ?? (yield* Effect.mapError(Schema.decodeEffect(KeyFile)(text), () => wrong))
  return yield* Effect.try({
    try: () => keyOf(curve, new Uint8Array(Buffer.from(privateKey, "hex"))),
    catch: () => wrong
  })
})

/**
 * The did:key of a recovery key: given directly, read from a file, or created and saved to that
 * file.
 */
export const recoveryDidKey = Effect.fnUntraced(function* (given: string) {
  if (given.startsWith("did:key:")) {
    if (isDidKey(given)) return { didKey: given, made: false }
    return yield* new Failed({
      message: `${given} isn't a did:key of type K-256 or P-256`,
      next: `Name the key's file, or the did:key that ${nacre} key recovery show prints.`
    })
  }
  const files = yield* FileSystem.FileSystem
  const isThere = yield* Effect.orElseSucceed(files.exists(given), () => false)
  if (isThere) return { didKey: (yield* readRecoveryKey(given)).didKey, made: false }
  const key = yield* makeRecoveryKey
  yield* saveRecoveryKey(key, given)
  return { didKey: key.didKey, made: true }
})
