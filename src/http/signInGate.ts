import * as Effect from "effect/Effect"
import { sha256 } from "../repo/cid.ts"
import { Config } from "../services/Config.ts"
import { Directory } from "../services/Directory.ts"
import { Limiter } from "../services/Limiter.ts"
import { isUnlimited } from "./clientLimits.ts"

const fiveMinutes = 300
const anHour = 3600
const aDay = 86_400

/** How many failures one name may have from one address, over XRPC and on the pages together. */
export const signInLimits = [
  { limit: 30, windowSeconds: fiveMinutes },
  { limit: 300, windowSeconds: aDay }
]

/** How many accounts may be made from one address. */
export const signUpLimits = [{ limit: 100, windowSeconds: fiveMinutes }]

/** What sign-ins of a name are counted by: with an @ before it or without, it is the same handle. */
export const signInKey = (identifier: string): string =>
  `createSession ${identifier.replace(/^@/, "").toLowerCase()}`

/** The account behind what somebody calls themselves at sign-in: e-mail address, handle or DID. */
export const accountBehind = Effect.fnUntraced(function* (identifier: string) {
  const directory = yield* Directory
  if (identifier.startsWith("did:")) return yield* directory.byDid(identifier)
  return yield* identifier.includes("@", 1)
    ? directory.byEmail(identifier)
    : directory.byHandle(identifier.replace(/^@/, ""))
})

/**
 * Where a sign-in of nobody goes: an object without an account, which answers a wrong password after the same work.
 *
 * The same identifier goes to the same of sixteen, as that of an account does.
 */
export const decoyDid = (identifier: string): string => {
  const [first = 0] = sha256(identifier.toLowerCase())
  return `did:web:decoy-${first % 16}.invalid`
}

/** How many failures one account may have from everywhere, but for the devices on which it has signed in. */
const strangerLimits = [
  { limit: 100, windowSeconds: anHour },
  { limit: 500, windowSeconds: aDay }
]

/**
 * Takes or gives back a point of an account's attempts by strangers.
 *
 * It is asked for devices that the account was never signed in on, so those who guess from many addresses hinder
 * the owner neither there nor with a passkey.
 */
export const strangerPoint = Effect.fnUntraced(function* (
  request: Request,
  account: string,
  points: 1 | -1
) {
  if (isUnlimited(request, yield* Config)) return
  // The account stands for the address: the count is one for the whole world.
  const address = `account ${account}`
  yield* (yield* Limiter).take({
    address,
    key: "sign-in by strangers",
    points,
    limits: strangerLimits
  })
})
