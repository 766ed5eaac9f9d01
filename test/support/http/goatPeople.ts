import { formatDidKey, publicKeyOf } from "../../../src/core/identity/didKey.ts"
import { type GoSession, decode, goat, shapes } from "./goat.ts"
import { newcomer, type Newcomer } from "./httpCodes.ts"
import type { Host } from "./httpHost.ts"
import { png } from "./httpWorld.ts"

/** The collection of goat's records. */
export const collection = "app.bsky.feed.post"

export const createdAt = "2026-01-01T00:00:00.000Z"

/** An account with goat's session. */
export interface GoatAccount extends Newcomer {
  readonly session: GoSession
}

let made = 0

/** An unused handle. */
export const newName = (): string => `goat${(made += 1)}`

/** An account with a did:plc and goat's session. */
export const account = async (host: Host): Promise<GoatAccount> => {
  const who = await newcomer(host, newName(), { plc: true })
  return { ...who, session: await goat(host).login(who.did, who.password) }
}

/** Posts a picture with `goat blob upload` and `goat record create`. */
export const postPicture = async (
  host: Host,
  { did, session }: Pick<GoatAccount, "did" | "session">
) => {
  const go = goat(host)
  const body = png(`of ${did}`)
  const sent = { body, type: "*/*" }
  const upload = await go.send("POST", "com.atproto.repo.uploadBlob", sent, session)
  decode(upload.json, shapes.uploadBlob, ["blob"])
  const images = [{ alt: "", image: upload.json.blob }]
  const embed = { $type: "app.bsky.embed.images", images }
  const record = { $type: collection, createdAt, embed, text: "a picture" }
  const input = { collection, record, repo: did, validate: true }
  const { json } = await go.send("POST", "com.atproto.repo.createRecord", { input }, session)
  decode(json, shapes.write, ["uri", "cid"])
  return { cid: upload.json.blob.ref.$link as string, body, uri: json.uri as string }
}

/** A did:key with a known secret. */
export const didKey = (seed: number): string =>
  formatDidKey(publicKeyOf("k256", new Uint8Array(32).fill(seed)))

/** A DID's data from the PLC directory, as goat fetches it. */
export const plcData = async (
  { network }: Pick<Host, "network">,
  did: string
): Promise<{ readonly did: string; readonly rotationKeys: ReadonlyArray<string> }> => {
  const response = await fetch(`${network.env["PLC_URL"]}/${did}/data`)
  // SAFETY: the directory returns every DID's data in this form.
  return (await response.json()) as { did: string; rotationKeys: Array<string> }
}
