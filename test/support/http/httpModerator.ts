import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { makeDidDocument } from "../../../src/core/identity/didDocument.ts"
import { fromPrivateKey } from "../../../src/layers/identity/SignerKeys.ts"
import { type Host, serviceDid } from "./httpHost.ts"

/** A moderation service that a host can be configured to trust. */
export const moderatorDid = "did:web:mod.example.com"

/** Configures a host to trust it. */
export const moderatorEnv = { MODERATORS: moderatorDid }

/** The keys of its DID document, and one that was never in it. */
const secrets = { atproto: 61, atproto_label: 62, stranger: 63 } as const

type KeyName = keyof typeof secrets

const signerOf = (name: KeyName) =>
  Effect.runPromise(fromPrivateKey("k256", Redacted.make(new Uint8Array(32).fill(secrets[name]))))

/** Publishes the service's DID document: each method with the key of this name. */
export const publishModerator = async (
  { network }: Pick<Host, "network">,
  keys: Readonly<Record<"atproto" | "atproto_label", KeyName>> = {
    atproto: "atproto",
    atproto_label: "atproto_label"
  },
  did = moderatorDid
): Promise<void> => {
  const { didKey: atproto } = await signerOf(keys.atproto)
  const { didKey: atproto_label } = await signerOf(keys.atproto_label)
  const document = makeDidDocument({ did, alsoKnownAs: [], keys: { atproto, atproto_label } })
  const url = `https://${did.slice("did:web:".length)}/.well-known/did.json`
  network.web.set(url, () => Response.json(document))
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** A service token for a method of this host, with overridable claims. */
export const moderatorToken = async (
  host: Pick<Host, "now">,
  lxm: string,
  change: {
    readonly by?: KeyName
    readonly claims?: Readonly<Record<string, unknown>>
    readonly header?: Readonly<Record<string, unknown>>
  } = {}
): Promise<string> => {
  const { by = "atproto", claims = {}, header = {} } = change
  const iat = Math.floor(host.now() / 1000)
  const usual = { iss: moderatorDid, aud: serviceDid, iat, exp: iat + 60, lxm }
  const unsigned = [
    { typ: "JWT", alg: "ES256K", ...header },
    { ...usual, jti: crypto.randomUUID(), ...claims }
  ]
    .map(part)
    .join(".")
  const signature = await Effect.runPromise(
    (await signerOf(by)).sign(new TextEncoder().encode(unsigned))
  )
  return `${unsigned}.${Buffer.from(signature).toString("base64url")}`
}
