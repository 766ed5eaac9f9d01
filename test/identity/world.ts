import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { accountDidDocument } from "../../src/core/identity/didDocument.ts"
import {
  formatDidKey,
  generatePrivateKey,
  publicKeyOf,
  signBytes
} from "../../src/core/identity/didKey.ts"
import * as Plc from "../../src/core/identity/plcOperation.ts"
import * as IdentityResolver from "../../src/layers/identity/IdentityResolver.ts"
import * as OutgoingFetch from "../../src/layers/host/OutgoingFetch.ts"
import * as PlcMemory from "../support/network/PlcMemory.ts"
import { Background } from "../../src/services/host/Background.ts"
import { PlcDirectory } from "../../src/services/identity/PlcDirectory.ts"
import { internet, type Routes, txt } from "./support.ts"

const secret = generatePrivateKey("k256")
export const key = formatDidKey(publicKeyOf("k256", secret))
export const pds = "https://pds.example.com"
/** The DNS-over-HTTPS service in use. */
export const doh = "https://cloudflare-dns.com/dns-query"

export const sign = <A extends Plc.Unsigned>(operation: A): Plc.Signed<A> =>
  Plc.withSignature(operation, signBytes("k256", secret, Plc.unsignedBytes(operation)))

export const genesis = sign(
  Plc.genesisOperation({
    rotationKeys: [key],
    verificationMethods: { atproto: key },
    alsoKnownAs: ["at://alice.pds.com"],
    services: { atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: pds } }
  })
)

export const alice = Plc.didOfGenesis(genesis)
export const bob = "did:web:bob.com"
export const bobDocument = accountDidDocument({ did: bob, handle: "bob.com", signingKey: key, pds })
export const carol = "did:web:carol.com"
export const carolDocument = accountDidDocument({
  did: carol,
  handle: "alice.pds.com",
  signingKey: key,
  pds
})
export const aliceDocument = accountDidDocument({
  did: alice,
  handle: "alice.pds.com",
  signingKey: key,
  pds
})
export const unknown = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"

/** DNS responses by handle; every other name does not exist. */
export const dns =
  (answers: Readonly<Record<string, () => Response | Promise<Response>>>) =>
  (request: Request): Response | Promise<Response> => {
    const name = new URL(request.url).searchParams.get("name")?.replace(/^_atproto\./, "") ?? ""
    return answers[name]?.() ?? Response.json({ Status: 3 })
  }

/**
 * The same world for every layer: Alice by DNS, Bob by the well-known file, Carol with another's
 * handle.
 */
const routes: Routes = {
  [doh]: dns({ "alice.pds.com": () => txt(`"did=${alice}"`) }),
  "https://bob.com/.well-known/atproto-did": () => new Response(`${bob}\n`),
  "https://bob.com/.well-known/did.json": () => Response.json(bobDocument),
  "https://carol.com/.well-known/did.json": () => Response.json(carolDocument),
  "https://carol.com/.well-known/atproto-did": () => new Response("", { status: 404 }),
  "https://nobody.com/.well-known/atproto-did": () => new Response("", { status: 404 })
}

/** Background work that starts on demand. */
const makeBackground = () => {
  const queue: Array<Effect.Effect<void>> = []
  return {
    queue,
    layer: Layer.succeed(
      Background,
      Background.of({ run: (work) => Effect.sync(() => void queue.push(work)) })
    )
  }
}

const seededPlc = Layer.effectDiscard(
  Effect.flatMap(PlcDirectory, (plc) => plc.submit(alice, genesis)).pipe(Effect.orDie)
).pipe(Layer.provideMerge(PlcMemory.layer))

export const world = (
  extra: Routes = {},
  options: IdentityResolver.IdentityResolverOptions = {}
) => {
  const net = internet({ ...routes, ...extra })
  const background = makeBackground()
  const layer = IdentityResolver.layer(options).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        OutgoingFetch.layer({ fetch: net.fetch, allowHosts: options.allowHosts ?? [] }),
        seededPlc,
        background.layer
      )
    )
  )
  return { asked: net.asked, queue: background.queue, layer }
}
