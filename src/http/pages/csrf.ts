import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { openTicket, sealTicket, type TicketClaims } from "../../core/sessions/ticket.ts"
import { Config } from "../../services/host/Config.ts"
import { hkdf } from "../../services/host/derivedSecrets.ts"

/** A ticket that this server sends to itself through a browser. */
export type Purpose =
  /** A form comes from a page shown on this device. */
  | "csrf"
  /** The password was right; the second factor is missing. */
  | "password proven"
  /** A passkey should sign this. */
  | "passkey challenge"

const ticketKey = Effect.map(Config, ({ masterKey }) => hkdf(masterKey, "tickets"))

/** Seals a ticket for one device, valid for this many milliseconds. */
export const seal = Effect.fnUntraced(function* (
  purpose: Purpose,
  device: string,
  claims: TicketClaims,
  millis: number
) {
  const key = yield* ticketKey
  const now = yield* Clock.currentTimeMillis
  return sealTicket(key, purpose, { ...claims, device }, now + millis)
})

/** The claims of a ticket for this device; undefined for any other. */
export const unseal = Effect.fnUntraced(function* (
  purpose: Purpose,
  device: string,
  ticket: string | undefined
) {
  const key = yield* ticketKey
  const claims = openTicket(key, purpose, ticket ?? "", yield* Clock.currentTimeMillis)
  return claims?.["device"] === device ? claims : undefined
})

const halfADay = 12 * 3600 * 1000

/** The hidden field that proves that a form comes from our page on this device. */
export const csrfToken = (device: string) => seal("csrf", device, {}, halfADay)
