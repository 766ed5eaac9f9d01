import type { Connected } from "./room.ts"

/** The most connections: from one network, and in total. */
export const seats = { network: 64, all: 256 }

const refusal = (status: number, error: string, message: string): Response =>
  Response.json({ error, message }, { status, headers: { "retry-after": "60" } })

const tally = (connected: ReadonlyArray<Connected>): Map<string | undefined, Array<Connected>> => {
  const networks = new Map<string | undefined, Array<Connected>>()
  for (const one of connected) {
    const known = networks.get(one.network)
    if (known === undefined) networks.set(one.network, [one])
    else known.push(one)
  }
  return networks
}

/**
 * The response that rejects a connection for which there is no seat.
 *
 * When all seats are taken, the network with the most loses its newest one to a network with fewer,
 * so a few networks can't keep relays out.
 */
export const refuseWithoutSeat = (
  network: string | undefined,
  connected: ReadonlyArray<Connected>
): Response | undefined => {
  const networks = tally(connected)
  const own = networks.get(network)?.length ?? 0
  if (own >= seats.network) {
    return refusal(429, "RateLimitExceeded", "Too many connections from your network")
  }
  const open = connected.filter(({ isOpen }) => isOpen)
  if (open.length < seats.all) return undefined
  const full = refusal(503, "ServiceUnavailable", "Too many subscribers, try again later")
  // Closed connections that haven't gone take memory as well.
  if (connected.length >= 2 * seats.all) return full
  const [largest] = [...tally(open).values()].toSorted((one, other) => other.length - one.length)
  if (largest === undefined || largest.length < own + 2) return full
  const newest = largest.reduce((one, other) => (other.since > one.since ? other : one))
  newest.letGo()
  return undefined
}
