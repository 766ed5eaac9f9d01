import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose"

/** A client's key pair. */
export interface SigningKey {
  readonly privateJwk: JWK
  readonly publicJwk: JWK & { readonly kty: string }
}

/** Creates a key for a signature algorithm. */
export const makeKey = async (alg: string): Promise<SigningKey> => {
  const pair = await generateKeyPair(alg, { extractable: true })
  const publicJwk = await exportJWK(pair.publicKey)
  return {
    privateJwk: await exportJWK(pair.privateKey),
    // SAFETY: an exported key has a type.
    publicJwk: publicJwk as SigningKey["publicJwk"]
  }
}

/** Signs claims without adding any. */
export const sign = async (
  { privateJwk }: SigningKey,
  header: { readonly alg: string } & Readonly<Record<string, unknown>>,
  claims: object
): Promise<string> =>
  // SAFETY: a pair's private key is imported as a CryptoKey.
  new SignJWT({ ...claims })
    .setProtectedHeader(header)
    .sign((await importJWK(privateJwk, header.alg)) as CryptoKey)

const part = (json: object) => Buffer.from(JSON.stringify(json)).toString("base64url")

/** A JWT with these parts and any signature. */
export const unsigned = (header: object, claims: object, signature = ""): string => {
  return `${part(header)}.${part(claims)}.${signature}`
}
