import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { openTicket, sealTicket, type TicketClaims } from "../../core/sessions/ticket.ts"
import { Config } from "../../services/host/Config.ts"
import { hkdf, masterKeysOf } from "../../services/host/derivedSecrets.ts"

/** A ticket that this server sends to itself through a browser. */
export type Purpose =
  /** A form comes from a page shown on this device. */
  | "csrf"
  /** The page that imports an archive was shown to its owner on this device. */
  | "import"
  /** The password was right; the second factor is missing. */
  | "password proven"
  /** A passkey should sign this. */
  | "passkey challenge"

/** The keys of tickets, the current one first. */
const ticketKeys = Effect.map(Config, (config) =>
  masterKeysOf(config).map((masterKey) => hkdf(masterKey, "tickets"))
)

/** Seals a ticket for one device, valid for this many milliseconds. */
export const seal = Effect.fnUntraced(function* (
  purpose: Purpose,
  device: string,
  claims: TicketClaims,
  millis: number
) {
  const key = hkdf((yield* Config).masterKey, "tickets")
  const now = yield* Clock.currentTimeMillis
  return sealTicket(key, purpose, { ...claims, device }, now + millis)
})

/** The claims of a ticket for this device; undefined for any other. */
export const unseal = Effect.fnUntraced(function* (
  purpose: Purpose,
  device: string,
  ticket: string | undefined
) {
  const now = yield* Clock.currentTimeMillis
  const claims = (yield* ticketKeys)
    .map((key) => openTicket(key, purpose, ticket ?? "", now))
    .find((opened) => opened !== undefined)
  return claims?.["device"] === device ? claims : undefined
})

const halfADay = 12 * 3600 * 1000

/** The hidden field that proves that a form comes from our page on this device. */
export const csrfToken = (device: string) => seal("csrf", device, {}, halfADay)
