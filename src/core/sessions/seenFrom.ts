/** Where a session was opened, in the client's and Cloudflare's own words. */
export interface SeenFrom {
  readonly userAgent?: string
  readonly place?: string
}

const longest = { userAgent: 256, place: 80 }

const shortened = (text: string | null | undefined, length: number): string | undefined => {
  const plain = text
    ?.replaceAll(/[\p{Cc}\p{Cf}]/gu, "")
    .trim()
    .slice(0, length)
  return plain === undefined || plain === "" ? undefined : plain
}

/** Bounds what a client says of itself before it is stored. */
export const seenFrom = (
  userAgent: string | null | undefined,
  place: string | null | undefined
): SeenFrom => {
  const [agent, where] = [shortened(userAgent, longest.userAgent), shortened(place, longest.place)]
  return {
    ...(agent === undefined ? {} : { userAgent: agent }),
    ...(where === undefined ? {} : { place: where })
  }
}
