/** The account under load: its session, its records, and the calls of the measurements. */
import type { FirstAccount } from "../scripts/account.ts"
import { openApp } from "./app.ts"
import { type Answer, connect, type Connection, type Sent } from "./http.ts"

let counter = 0

/** A post of the usual size (about 300 bytes of JSON). */
export const post = () => ({
  $type: "app.bsky.feed.post",
  text: `Clouds of ice, ${(counter += 1)}: ${"nacreous light after the sun has set. ".repeat(4)}`,
  langs: ["en"],
  createdAt: new Date(1_700_000_000_000 + counter).toISOString()
})

export type BenchAccount = Awaited<ReturnType<typeof openAccount>>

/** Signs in and returns the calls, which each take a connection. */
export async function openAccount({
  url,
  publicUrl = url,
  account
}: {
  readonly url: string
  readonly publicUrl?: string
  readonly account: Pick<FirstAccount, "did" | "password">
}) {
  const client = await connect(url)
  const session = await client.request("POST", "/xrpc/com.atproto.server.createSession", {
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ identifier: account.did, password: account.password })
  })
  if (session.status !== 200) throw new Error(`createSession: ${session.status} ${session.body}`)
  const authorization = { Authorization: `Bearer ${JSON.parse(session.body.toString()).accessJwt}` }
  const json = { ...authorization, "Content-Type": "application/json" }
  const did = encodeURIComponent(account.did)

  const expect = async (asked: Promise<Answer>): Promise<Answer> => {
    const answer = await asked
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`)
    return answer
  }
  const call = (one: Connection, nsid: string, body: object) =>
    expect(
      one.request("POST", `/xrpc/com.atproto.repo.${nsid}`, {
        headers: json,
        body: JSON.stringify(body)
      })
    )

  return {
    client,
    url,
    authorization,
    did: account.did,
    connect: () => connect(url),
    /** Signs an app in; its access token lives for 15 minutes. */
    openApp: () => openApp({ publicUrl, account }),
    createRecord: (one: Connection) =>
      call(one, "createRecord", {
        repo: account.did,
        collection: "app.bsky.feed.post",
        record: post()
      }),
    applyWrites: (one: Connection, count: number) =>
      call(one, "applyWrites", {
        repo: account.did,
        writes: Array.from({ length: count }, () => ({
          $type: "com.atproto.repo.applyWrites#create",
          collection: "app.bsky.feed.post",
          value: post()
        }))
      }),
    uploadBlob: (one: Connection, bytes: Uint8Array) =>
      expect(
        one.request("POST", "/xrpc/com.atproto.repo.uploadBlob", {
          headers: { ...authorization, "Content-Type": "application/octet-stream" },
          body: bytes
        })
      ),
    importRepo: (one: Connection, car: Uint8Array) =>
      expect(
        one.request("POST", "/xrpc/com.atproto.repo.importRepo", {
          headers: { ...authorization, "Content-Type": "application/vnd.ipld.car" },
          body: car
        })
      ),
    describeServer: (one: Connection) =>
      expect(one.request("GET", "/xrpc/com.atproto.server.describeServer")),
    searchPosts: (one: Connection) =>
      expect(
        one.request("GET", "/xrpc/app.bsky.feed.searchPosts?limit=50", {
          headers: authorization,
          discard: true
        })
      ),
    getSession: (one: Connection) =>
      expect(one.request("GET", "/xrpc/com.atproto.server.getSession", { headers: authorization })),
    getRecord: (one: Connection, rkey: string) =>
      expect(
        one.request(
          "GET",
          `/xrpc/com.atproto.repo.getRecord?repo=${did}&collection=app.bsky.feed.post&rkey=${rkey}`
        )
      ),
    listRecords: async (one: Connection, cursor?: string) => {
      const at = cursor === undefined ? "" : `&cursor=${cursor}`
      return expect(
        one.request(
          "GET",
          `/xrpc/com.atproto.repo.listRecords?repo=${did}&collection=app.bsky.feed.post&limit=100${at}`
        )
      )
    },
    getRepo: (one: Connection, options: Sent = {}) =>
      expect(one.request("GET", `/xrpc/com.atproto.sync.getRepo?did=${did}`, options))
  }
}
