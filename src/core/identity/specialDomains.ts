/**
 * Top-level domains that never name a public server (special-use names, RFC 6761, 6762, 9476);
 * without `test`, which development allows.
 */
export const specialDomains: ReadonlySet<string> = new Set([
  "alt",
  "arpa",
  "example",
  "internal",
  "invalid",
  "local",
  "localhost",
  "onion"
])
