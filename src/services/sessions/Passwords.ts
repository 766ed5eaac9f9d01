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

const derive = (password: string, salt: Uint8Array, cost: ScryptCost): Effect.Effect<Uint8Array> =>
  Effect.callback((resume) => {
    const { r, p, logN } = cost
    const N = 2 ** logN
    // Two keyboards may produce the same password in different Unicode forms.
    scrypt(
      password.normalize("NFKC"),
      salt,
      hashLength,
      { N, r, p, maxmem: 128 * N * r * p + 1024 * 1024 },
      (error, hash) => resume(error === null ? Effect.succeed(hash) : Effect.die(error))
    )
  })

/** Hashes and verifies passwords with scrypt; the hash contains its parameters and salt. */
export class Passwords extends Context.Service<
  Passwords,
  {
    hash(password: string): Effect.Effect<string>
    /** Whether the password matches; does the same work if there is no stored one. */
    verify(password: string, stored: string | undefined): Effect.Effect<boolean>
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
      return format({ cost, salt, hash: yield* atTurn(derive(password, salt, cost)) })
    }),
    verify: Effect.fn("Passwords.verify")(function* (password, stored) {
      const known = stored === undefined ? undefined : parse(stored)
      const { salt, hash, cost } = known ?? nobody
      const same = timingSafeEqual(yield* atTurn(derive(password, salt, cost)), hash)
      return same && known !== undefined
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
