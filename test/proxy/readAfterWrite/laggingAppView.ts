import { gzipSync } from "node:zlib"
import { AtpAgent } from "@atproto/api"
import { claimsOf, services, tokenOf } from "../../support/network/mockNetwork.ts"
import {
  type MockAnswer,
  type MockService,
  type Received,
  sendJson,
  startMock
} from "../../support/network/mockService.ts"
import { type Host, startHost } from "../../support/http/httpHost.ts"
import { ok, type Person, signUp } from "../../support/http/httpWorld.ts"

/** A JSON object of any shape. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
export type Seen = Record<string, any>

/** An AppView that knows a repo up to some rev. */
export interface LaggingAppView extends MockService {
  /** Its `atproto-repo-rev` header; undefined sends none. */
  rev: string | undefined
  revHeader(): Readonly<Record<string, string>>
  /** Sets a method's response, sent with that header. */
  shows(nsid: string, body: Seen | ((received: Received) => Seen), status?: number): void
  /** The same with a text body. */
  showsText(nsid: string, text: string): void
  /** The same, compressed. */
  showsGzip(nsid: string, body: Seen): void
  /** The requests since then, with their tokens' claims. */
  asked(): ReadonlyArray<Received & { readonly nsid: string; readonly claims: Seen }>
  forget(): void
}

/** Starts an AppView that knows nothing. */
export const startLagging = async (): Promise<LaggingAppView> => {
  const mock = await startMock()
  let from = 0
  const revHeader = (): Record<string, string> =>
    lagging.rev === undefined ? {} : { "atproto-repo-rev": lagging.rev }
  const json = { "content-type": "application/json; charset=utf-8" }
  const on = (nsid: string, answer: MockAnswer) => mock.on(nsid, answer)
  const lagging: LaggingAppView = {
    ...mock,
    rev: undefined,
    revHeader,
    shows: (nsid, body, status = 200) =>
      on(nsid, (received, response) =>
        sendJson(response, status, typeof body === "function" ? body(received) : body, revHeader())
      ),
    showsText: (nsid, text) =>
      on(nsid, (_, response) => {
        response.writeHead(200, { ...json, ...revHeader() }).end(text)
      }),
    showsGzip: (nsid, body) =>
      on(nsid, (_, response) => {
        const encoded = { ...json, "content-encoding": "gzip", ...revHeader() }
        response.writeHead(200, encoded).end(gzipSync(JSON.stringify(body)))
      }),
    asked: () =>
      mock.received.slice(from).map((received) => ({
        ...received,
        nsid: received.path.replace("/xrpc/", ""),
        claims: claimsOf(tokenOf(received))
      })),
    forget: () => {
      from = mock.received.length
    }
  }
  return lagging
}

/** A host whose AppView lags behind. */
export interface LaggingWorld extends Host {
  readonly alice: Person
  readonly bob: Person
  readonly appView: LaggingAppView
  /** Makes the AppView know everything that an account has written so far. */
  caughtUp(who: Person): Promise<string>
  /** A signed-in client like the Bluesky app's. */
  agentOf(who: Person): Promise<AtpAgent>
  /** Writes a record and returns its URI and CID. */
  write(who: Person, collection: string, record: Seen): Promise<{ uri: string; cid: string }>
}

/** Starts a host with accounts and an AppView for them. */
export const startLaggingWorld = async (): Promise<LaggingWorld> => {
  const appView = await startLagging()
  const world = await startHost({
    APP_VIEW: `${services.appView}#bsky_appview ${appView.url}`,
    DEV_ALLOW_HOSTS: appView.host
  })
  world.network.servers.add(appView.url)
  const fetchFromHost: typeof fetch = (input, init) => world.handler(new Request(input, init))
  return {
    ...world,
    alice: await signUp(world, "alice"),
    bob: await signUp(world, "bobby"),
    appView,
    caughtUp: async ({ did }) => {
      const latest = ok(await world.call("com.atproto.sync.getLatestCommit", { params: { did } }))
      appView.rev = latest["rev"]
      return latest["rev"]
    },
    agentOf: async ({ handle: identifier, password }) => {
      const agent = new AtpAgent({ service: "http://localhost:8787", fetch: fetchFromHost })
      await agent.login({ identifier, password })
      return agent
    },
    write: async ({ did: repo, auth }, collection, record) => {
      const input = { repo, collection, record: { $type: collection, ...record } }
      const { uri, cid } = ok(await world.call("com.atproto.repo.createRecord", { auth, input }))
      return { uri, cid }
    },
    close: async () => {
      await world.close()
      await appView.close()
    }
  }
}

/** An AppView's view of an account. */
export const profileViewOf = ({ did, handle }: Person, more: Seen = {}): Seen => ({
  did,
  handle,
  displayName: `${handle} as of old`,
  labels: [],
  ...more
})

const someCid = "bafyreib2rxk3rybloqtqwbo3dpwdgcdjwzz5wdjkcvyvhnnxsxzcnvhcpi"

/** An AppView's view of a post, written this many minutes ago. */
export const postViewOf = (who: Person, rkey: string, minutesAgo = 60, more: Seen = {}): Seen => {
  const time = new Date(Date.now() - minutesAgo * 60_000).toISOString()
  return {
    uri: `at://${who.did}/app.bsky.feed.post/${rkey}`,
    cid: someCid,
    author: profileViewOf(who),
    record: { $type: "app.bsky.feed.post", text: `post ${rkey}`, createdAt: time, ...more },
    indexedAt: time
  }
}

/** An AppView's view of a thread. */
export const threadOf = (post: Seen, replies: ReadonlyArray<Seen> = []): Seen => ({
  $type: "app.bsky.feed.defs#threadViewPost",
  post,
  replies
})

/** An AppView's list item of a thread's post. */
export const itemOf = (post: Seen, depth: number): Seen => ({
  uri: post["uri"],
  depth,
  value: {
    $type: "app.bsky.unspecced.defs#threadItemPost",
    post,
    moreParents: false,
    moreReplies: 0,
    opThread: false,
    hiddenByThreadgate: false,
    mutedByViewer: false
  }
})
