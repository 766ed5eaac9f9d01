import { type Data, encode } from "../../src/core/repo/cbor.ts"

/** A message of the event stream: a header and a body. */
export const frameOf = (header: Data, body: Data): Uint8Array =>
  new Uint8Array([...encode(header), ...encode(body)])
