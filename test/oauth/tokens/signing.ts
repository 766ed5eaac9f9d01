import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose"

/** A client's key, whole. */
export interface SigningKey {
  readonly privateJwk: JWK
  readonly publicJwk: JWK & { readonly kty: string }
}

/** Makes a key for one algorithm of signatures. */
export const makeKey = async (alg: string): Promise<SigningKey> => {
  const pair = await generateKeyPair(alg, { extractable: true })
  const publicJwk = await exportJWK(pair.publicKey)
  return {
    privateJwk: await exportJWK(pair.privateKey),
    // SAFETY: an exported key has a type.
    publicJwk: publicJwk as SigningKey["publicJwk"]
  }
}

/** Signs claims as they are: nothing is added. */
export const sign = async (
  { privateJwk }: SigningKey,
  header: { readonly alg: string } & Readonly<Record<string, unknown>>,
  claims: object
): Promise<string> =>
  // SAFETY: a private key of a pair is imported as a CryptoKey.
  new SignJWT({ ...claims })
    .setProtectedHeader(header)
    .sign((await importJWK(privateJwk, header.alg)) as CryptoKey)

const part = (json: object) => Buffer.from(JSON.stringify(json)).toString("base64url")

/** A JWT of these parts with whatever signature. */
export const unsigned = (header: object, claims: object, signature = ""): string => {
  return `${part(header)}.${part(claims)}.${signature}`
}
