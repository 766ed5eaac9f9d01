import { calledName } from "../identity/calledName.ts"
import { isCid, isDid, isHandle, parseAtUri } from "../lexicon/syntax.ts"

/** What an operator looks up: an account by handle or DID, and a record or blob of it. */
export interface SoughtSubject {
  readonly account: string
  /** `collection/rkey`. */
  readonly path?: string
  readonly blob?: string
}

/** The collections behind the parts of a bsky.app link. */
const collections: Readonly<Record<string, string>> = {
  post: "app.bsky.feed.post",
  feed: "app.bsky.feed.generator",
  lists: "app.bsky.graph.list"
}

/** The account and record of a link to bsky.app, as an `at://` address. */
const ofLink = (text: string): string => {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return text
  const [, who, kind, rkey] =
    /^\/profile\/([^/]+)(?:\/(\w+)\/([^/]+))?\/?$/.exec(url.pathname) ?? []
  if (who === undefined) return text
  const account = who.replaceAll(/%3a/gi, ":")
  if (kind === undefined) return account
  const collection = Object.hasOwn(collections, kind) ? collections[kind] : undefined
  return collection === undefined ? text : `at://${account}/${collection}/${rkey}`
}

/** Parses what an operator typed or pasted: a handle, a DID, an `at://` address, or a bsky.app link. */
export const soughtSubject = (typed: string, blob = ""): SoughtSubject | undefined => {
  const text = ofLink(typed.trim())
  const parts = parseAtUri(text)
  const cid = blob.trim()
  if (cid !== "" && !isCid(cid)) return undefined
  const { collection, rkey } = parts ?? {}
  // An address of a collection names no record.
  if (collection !== undefined && rkey === undefined) return undefined
  const account = parts?.authority ?? calledName(text)
  if (!isDid(account) && !isHandle(account)) return undefined
  if (cid !== "") return { account, blob: cid }
  return rkey === undefined ? { account } : { account, path: `${collection}/${rkey}` }
}
