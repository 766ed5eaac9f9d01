import { formatDidKey, publicKeyOf } from "../../../src/core/identity/didKey.ts"
import { type GoSession, decode, goat, shapes } from "./goat.ts"
import { newcomer, type Newcomer } from "./httpCodes.ts"
import type { Host } from "./httpHost.ts"
import { png } from "./httpWorld.ts"

/** The collection that goat's records are in. */
export const collection = "app.bsky.feed.post"

export const createdAt = "2026-01-01T00:00:00.000Z"

/** An account that goat is logged in to. */
export interface GoatAccount extends Newcomer {
  readonly session: GoSession
}

let made = 0

/** A name that no account had before. */
export const newName = (): string => `goat${(made += 1)}`

/** An account with a did:plc, to which goat is logged in. */
export const account = async (host: Host): Promise<GoatAccount> => {
  const who = await newcomer(host, newName(), { plc: true })
  return { ...who, session: await goat(host).login(who.did, who.password) }
}

/** A picture in a post, by `goat blob upload` and `goat record create`. */
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

/** A did:key that somebody holds. */
export const didKey = (seed: number): string =>
  formatDidKey(publicKeyOf("k256", new Uint8Array(32).fill(seed)))

/** What the PLC directory has of a DID, as goat fetches it. */
export const plcData = async (
  { network }: Pick<Host, "network">,
  did: string
): Promise<{ readonly did: string; readonly rotationKeys: ReadonlyArray<string> }> => {
  const response = await fetch(`${network.env["PLC_URL"]}/${did}/data`)
  // SAFETY: the directory answers every DID's data in this form.
  return (await response.json()) as { did: string; rotationKeys: Array<string> }
}
