import { randomBytes, scrypt, timingSafeEqual } from "node:crypto"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { fromBase64Url, toBase64Url } from "../../core/bytes/base64url.ts"

/** The cost of scrypt; `N` is 2 to the power of `logN`. */
export interface ScryptCost {
  readonly logN: number
  readonly r: number
  readonly p: number
}

/** The cost of new hashes: 16 MiB and some 30 ms. */
export const currentCost: ScryptCost = { logN: 14, r: 8, p: 1 }

/** The longest password at sign-in, in characters. */
export const maxPasswordLength = 512

const hashLength = 64
const saltLength = 16
/** The salt of a reference PDS is 16 bytes as hexadecimal text. */
const adoptedSaltLength = 32

interface Stored {
  readonly cost: ScryptCost
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

const format = ({ cost, salt, hash }: Stored): string =>
  `scrypt$ln=${cost.logN},r=${cost.r},p=${cost.p}$${toBase64Url(salt)}$${toBase64Url(hash)}`

const parse = (text: string): Stored | undefined => {
  const parts = /^scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w-]+)\$([\w-]+)$/.exec(text)
  const salt = fromBase64Url(parts?.[4] ?? "")
  const hash = fromBase64Url(parts?.[5] ?? "")
  if (parts === null || salt === undefined || hash?.length !== hashLength) return undefined
  const cost = { logN: Number(parts[1]), r: Number(parts[2]), p: Number(parts[3]) }
  return { cost, salt, hash }
}

/** Two keyboards may produce the same password in different Unicode forms. */
const normalized = (password: string): string => password.normalize("NFKC")

/** Whether a hash is from a reference PDS, which hashes a password as it was typed. */
const isAdopted = ({ salt }: Stored): boolean => salt.length === adoptedSaltLength

const derive = (password: string, salt: Uint8Array, cost: ScryptCost): Effect.Effect<Uint8Array> =>
  Effect.callback((resume) => {
    const { r, p, logN } = cost
    const N = 2 ** logN
    scrypt(
      password,
      salt,
      hashLength,
      { N, r, p, maxmem: 128 * N * r * p + 1024 * 1024 },
      (error, hash) => resume(error === null ? Effect.succeed(hash) : Effect.die(error))
    )
  })

/** The stored form of a reference PDS's hash: `<salt in hexadecimal>:<hash in hexadecimal>`. */
export const adoptedHash = (stored: string): string | undefined => {
  const [, salt, hash] = /^([0-9a-f]{32}):([0-9a-f]{128})$/.exec(stored) ?? []
  return salt === undefined || hash === undefined
    ? undefined
    : format({
        cost: { logN: 14, r: 8, p: 1 },
        salt: new TextEncoder().encode(salt),
        hash: Uint8Array.from(Buffer.from(hash, "hex"))
      })
}

/** Hashes and verifies passwords with scrypt; the hash contains its parameters and salt. */
export class Passwords extends Context.Service<
  Passwords,
  {
    hash(password: string): Effect.Effect<string>
    /** Whether the password matches; does the same work if there is no stored one. */
    verify(password: string, stored: string | undefined): Effect.Effect<boolean>
    /** Hashes a password as it was typed with another hash's parameters and salt; undefined if that isn't a hash. */
    hashLike(password: string, stored: string): Effect.Effect<string | undefined>
    /** Whether a hash has outdated parameters and should be renewed at the next sign-in. */
    isOutdated(stored: string): boolean
  }
>()("nacre/services/Passwords") {}

/** Runs a hash at its turn. */
export type PasswordTurns = <A>(hash: Effect.Effect<A>) => Effect.Effect<A>

/** The hashes that may run at once; a server on one machine keeps a core free of them. */
export const PasswordTurns = Context.Reference<PasswordTurns>("nacre/services/PasswordTurns", {
  defaultValue: () => (hash) => hash
})

/** Passwords at a given cost. */
export const make = (
  cost: ScryptCost,
  atTurn: PasswordTurns = (hash) => hash
): Passwords["Service"] => {
  const nobody: Stored = {
    cost,
    salt: new Uint8Array(saltLength),
    hash: new Uint8Array(hashLength)
  }
  return Passwords.of({
    hash: Effect.fn("Passwords.hash")(function* (password) {
      const salt = new Uint8Array(randomBytes(saltLength))
      return format({ cost, salt, hash: yield* atTurn(derive(normalized(password), salt, cost)) })
    }),
    verify: Effect.fn("Passwords.verify")(function* (password, stored) {
      const known = stored === undefined ? undefined : parse(stored)
      const { salt, hash, cost } = known ?? nobody
      const isMatch = (typed: string) =>
        Effect.map(atTurn(derive(typed, salt, cost)), (derived) => timingSafeEqual(derived, hash))
      const same = yield* isMatch(normalized(password))
      if (same || known === undefined) return same && known !== undefined
      return isAdopted(known) && normalized(password) !== password && (yield* isMatch(password))
    }),
    hashLike: Effect.fn("Passwords.hashLike")(function* (password, stored) {
      const known = parse(stored)
      if (known === undefined) return undefined
      return format({ ...known, hash: yield* atTurn(derive(password, known.salt, known.cost)) })
    }),
    isOutdated: (stored) => {
      const known = parse(stored)?.cost
      return known?.logN !== cost.logN || known.r !== cost.r || known.p !== cost.p
    }
  })
}

/** The cost of new hashes; only tests that hash often change it. */
export const PasswordCost = Context.Reference<ScryptCost>("nacre/services/PasswordCost", {
  defaultValue: () => currentCost
})

/** Passwords at the current cost. */
export const layer: Layer.Layer<Passwords> = Layer.effect(
  Passwords,
  Effect.gen(function* () {
    return make(yield* PasswordCost, yield* PasswordTurns)
  })
)
