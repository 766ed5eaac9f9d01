const fiveMinutes = 300

/**
 * How often an address may ask at each endpoint, in five minutes; a browser that has no nonce yet asks twice.
 *
 * Pushing costs a look at a server that the client names, so there the limit is the tightest.
 */
export const endpointLimits = {
  par: [{ limit: 100, windowSeconds: fiveMinutes }],
  token: [{ limit: 300, windowSeconds: fiveMinutes }],
  revoke: [{ limit: 100, windowSeconds: fiveMinutes }]
} as const

/** An endpoint that clients post to. */
export type EndpointName = keyof typeof endpointLimits
