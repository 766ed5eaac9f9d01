import { AtpAgent, type ComAtprotoServerGetServiceAuth as GetServiceAuth } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { get } from "node:http"
import { gzipSync } from "node:zlib"
import { memoryOf } from "../support/memory.ts"
import {
  claimsOf,
  services,
  type MockNetwork,
  startMockNetwork,
  tokenOf,
  verify
} from "../support/network/mockNetwork.ts"
import { sendJson } from "../support/network/mockService.ts"
import type { TestServer } from "../support/server/server.ts"
import { png, post, resolverOf, signIn } from "../support/server/serverPeople.ts"

/** How to start a server for the app's tests, and its limits. */
export interface AppOptions {
  readonly start: (env: Readonly<Record<string, string>>) => Promise<TestServer>
  /** The size of the uploaded film, in megabytes. */
  readonly video: number
  /** Whether the server forwards bodies compressed as they are. */
  readonly keepsEncoding: boolean
}

/** A response's raw bytes, which `fetch` would decompress. */
const bytesOf = (url: string, headers: Readonly<Record<string, string>>) =>
  new Promise<{ readonly encoding: string | undefined; readonly bytes: Buffer }>(
    (resolve, reject) => {
      get(url, { headers }, (message) => {
        const chunks: Array<Buffer> = []
        message.on("data", (chunk: Buffer) => chunks.push(chunk))
        message.on("end", () =>
          resolve({ encoding: message.headers["content-encoding"], bytes: Buffer.concat(chunks) })
        )
        message.on("error", reject)
      }).on("error", reject)
    }
  )

const someone = "did:plc:z72i7hdynmk6r22z27h6tvur"
const someCid = "bafyreib2rxk3rybloqtqwbo3dpwdgcdjwzz5wdjkcvyvhnnxsxzcnvhcpi"
const authorOf = (did: string) => ({ did, handle: "somebody.test", labels: [] })

/** A post of another account as the app view returns it. */
const theirs = {
  uri: `at://${someone}/app.bsky.feed.post/3kaaaaaaaaa22`,
  cid: someCid,
  author: authorOf(someone),
  record: { ...post("hello from elsewhere"), createdAt: "2026-01-01T00:00:00.000Z" },
  indexedAt: "2026-01-01T00:00:00.000Z"
}

const threadOf = (view: object, replies: ReadonlyArray<object> = []) => ({
  $type: "app.bsky.feed.defs#threadViewPost",
  post: view,
  replies
})

/** The tests of what people do in the Bluesky app. */
export const appSuite = (name: string, { start, video, keepsEncoding }: AppOptions) => {
  describe(`the Bluesky app on ${name}`, () => {
    let network: MockNetwork
    let server: TestServer
    let agent: AtpAgent
    let did: string
    /** The newest rev that the app view has indexed. */
    let rev: string

    const keyOf = (issuer: string) => resolverOf(server).did.resolveAtprotoKey(issuer)

    /** Lets the app view index everything up to now. */
    const catchUp = async () => {
      rev = (await agent.com.atproto.sync.getLatestCommit({ did })).data.rev
    }

    beforeAll(async () => {
      network = await startMockNetwork()
      server = await start({ ...network.env, BLOB_LIMIT: "314572800" })
      ;({ agent, did } = await signIn(server))
      await catchUp()
      const { appView } = network
      /** Makes the app view lag: it returns an old state for any valid token. */
      const shows = (nsid: string, body: (params: URLSearchParams) => object) =>
        appView.on(nsid, async (received, response) => {
          await verify(received, services.appView, nsid, keyOf)
          sendJson(response, 200, body(received.params), { "atproto-repo-rev": rev })
        })
      shows("app.bsky.feed.getTimeline", () => ({ feed: [{ post: theirs }] }))
      shows("app.bsky.actor.getProfile", (params) => ({
        ...authorOf(params.get("actor") ?? ""),
        displayName: "as of old"
      }))
      shows("app.bsky.feed.getPosts", () => ({ posts: [theirs] }))
      appView.on("app.bsky.feed.getPostThread", ({ params }, response) => {
        const isKnown = params.get("uri") === theirs.uri
        const missing = { error: "NotFound", message: `Post not found: ${params.get("uri")}` }
        const body = isKnown ? { thread: threadOf(theirs) } : missing
        sendJson(response, isKnown ? 200 : 400, body, { "atproto-repo-rev": rev })
      })
    })
    afterAll(async () => {
      await server?.stop()
      await network?.close()
    })

    it("the app shows the app view's timeline", async () => {
      const { data } = await agent.getTimeline({ limit: 10 })
      assert.deepStrictEqual(
        data.feed.map((one) => one.post.uri),
        [theirs.uri]
      )
      assert.strictEqual(network.appView.last().params.get("limit"), "10")
    })

    it("the app shows an author's new post with a picture and a quote at once", async () => {
      await catchUp()
      const { data: image } = await agent.uploadBlob(png("a cloud"), { encoding: "image/png" })
      const { uri } = await agent.post({
        ...post("look"),
        embed: {
          $type: "app.bsky.embed.recordWithMedia",
          record: { $type: "app.bsky.embed.record", record: { uri: theirs.uri, cid: theirs.cid } },
          media: {
            $type: "app.bsky.embed.images",
            images: [{ alt: "a cloud", image: image.blob }]
          }
        }
      })
      const { data } = await agent.getTimeline()
      assert.deepStrictEqual(
        data.feed.map((one) => one.post.uri),
        [uri, theirs.uri]
      )
      const embed = data.feed[0]?.post.embed as {
        readonly media: { readonly images: ReadonlyArray<{ readonly fullsize: string }> }
        readonly record: { readonly record: { readonly uri: string } }
      }
      assert.strictEqual(embed.record.record.uri, theirs.uri)
      const picture = await fetch(
        embed.media.images[0]!.fullsize.replace(server.publicUrl, server.url)
      )
      assert.deepStrictEqual(new Uint8Array(await picture.arrayBuffer()), png("a cloud"))
      const own = await agent.getPostThread({ uri })
      assert.strictEqual(
        (own.data.thread as { readonly post: { readonly uri: string } }).post.uri,
        uri
      )
    })

    it("the app shows a reply in its thread before the app view has indexed it", async () => {
      await catchUp()
      const ref = { uri: theirs.uri, cid: theirs.cid }
      const { uri } = await agent.post({ ...post("an answer"), reply: { root: ref, parent: ref } })
      const { data } = await agent.getPostThread({ uri: theirs.uri })
      const { replies } = data.thread as {
        readonly replies: ReadonlyArray<{ readonly post: { readonly uri: string } }>
      }
      assert.deepStrictEqual(
        replies.map((reply) => reply.post.uri),
        [uri]
      )
    })

    it("the app likes, blocks and mutes", async () => {
      const like = await agent.like(theirs.uri, theirs.cid)
      assert.include(like.uri, "app.bsky.feed.like")
      const block = await agent.app.bsky.graph.block.create(
        { repo: did },
        { subject: someone, createdAt: new Date().toISOString() }
      )
      assert.include(block.uri, "app.bsky.graph.block")
      network.appView.on("app.bsky.graph.muteActor", async (received, response) => {
        await verify(received, services.appView, "app.bsky.graph.muteActor", keyOf)
        response.writeHead(200).end()
      })
      await agent.mute(someone)
      assert.deepStrictEqual(JSON.parse(String(network.appView.last().body)), { actor: someone })
    })

    it("the app edits a profile with an avatar, and shows it at once", async () => {
      await catchUp()
      const { data: image } = await agent.uploadBlob(png("a face"), { encoding: "image/png" })
      await agent.upsertProfile((old) => ({ ...old, displayName: "Anew", avatar: image.blob }))
      const { data } = await agent.getProfile({ actor: did })
      assert.strictEqual(data.displayName, "Anew")
      const picture = await fetch(data.avatar!.replace(server.publicUrl, server.url))
      assert.deepStrictEqual(new Uint8Array(await picture.arrayBuffer()), png("a face"))
    })

    it("the app shows a custom feed, whose generator learns who asks", async () => {
      const { appView, generator } = network
      const skeleton = "app.bsky.feed.getFeedSkeleton"
      appView.on("com.atproto.repo.getRecord", () => ({
        value: { $type: "app.bsky.feed.generator", did: services.generator }
      }))
      generator.on(skeleton, async (received) => {
        const { iss } = await verify(received, services.generator, skeleton, keyOf)
        return { feed: iss === did ? [{ post: theirs.uri }] : [] }
      })
      appView.on("app.bsky.feed.getFeed", async ({ headers, search }) => {
        const authorization = headers.authorization ?? ""
        const asked = await fetch(`${generator.url}/xrpc/${skeleton}${search}`, {
          headers: { authorization }
        })
        const { feed } = (await asked.json()) as { readonly feed: ReadonlyArray<unknown> }
        return { feed: feed.map(() => ({ post: theirs })) }
      })
      const feed = `at://${someone}/app.bsky.feed.generator/clouds`
      const { data } = await agent.app.bsky.feed.getFeed({ feed, limit: 5 })
      assert.deepStrictEqual(
        data.feed.map((one) => one.post.uri),
        [theirs.uri]
      )
    })

    it("the server sends the chosen labelers to the AppView, and the app learns which of them applied", async () => {
      network.appView.on("app.bsky.feed.getAuthorFeed", ({ headers }, response) => {
        const labelers = headers["atproto-accept-labelers"]
        sendJson(response, 200, { feed: [] }, { "atproto-content-labelers": String(labelers) })
      })
      agent.configureLabelers([services.moderation])
      const { headers } = await agent.getAuthorFeed({ actor: someone })
      agent.configureLabelers([])
      assert.include(headers["atproto-content-labelers"] ?? "", services.moderation)
    })

    it("the app gets the app view's compression where the platform allows that, and always a complete body", async () => {
      const nsid = "app.bsky.feed.searchPosts"
      const text = JSON.stringify({ posts: [], hint: "cloud ".repeat(10_000) })
      const packed = gzipSync(text)
      network.appView.on(nsid, ({ headers }, response) => {
        const isPacked = headers["accept-encoding"]?.includes("gzip") === true
        const encoding = isPacked ? { "content-encoding": "gzip" } : {}
        response.writeHead(200, { "content-type": "application/json", ...encoding })
        response.end(isPacked ? packed : text)
      })
      const authorization = `Bearer ${agent.session?.accessJwt}`
      const url = `${server.url}/xrpc/${nsid}`
      const headers = { authorization, "accept-encoding": "gzip, br, zstd" }
      const { encoding, bytes } = await bytesOf(url, headers)
      assert.strictEqual(encoding, keepsEncoding ? "gzip" : undefined)
      assert.isTrue(bytes.equals(keepsEncoding ? packed : Buffer.from(text)))
      const plain = await bytesOf(url, { authorization })
      assert.isUndefined(plain.encoding)
      assert.strictEqual(plain.bytes.toString(), text)
    })

    it("the app gets the length of a service's response, and notices when it breaks off", async () => {
      const nsid = "com.example.film"
      const whole = Buffer.alloc(200_000, "film ")
      network.appView.on(nsid, ({ params }, response) => {
        const headers = { "content-type": "video/mp4", "content-length": String(whole.length) }
        response.writeHead(200, headers)
        if (params.get("whole") === "yes") response.end(whole)
        else response.write(whole.subarray(0, 100_000), () => response.destroy())
      })
      const headers = { authorization: `Bearer ${agent.session?.accessJwt}` }
      const url = `${server.url}/xrpc/${nsid}`
      const answer = await fetch(`${url}?whole=yes`, { headers })
      assert.strictEqual(answer.headers.get("content-length"), String(whole.length))
      assert.isTrue(Buffer.from(await answer.arrayBuffer()).equals(whole))
      const broken = await fetch(url, { headers })
        .then((part) => part.arrayBuffer())
        .then(
          () => "whole",
          () => "broken"
        )
      assert.strictEqual(broken, "broken")
    })

    it("the app never accepts an interrupted response as complete, with or without a length", async () => {
      const text = JSON.stringify({ feed: [], hint: "cloud ".repeat(20_000) })
      const answerOf = (nsid: string, asked: string) =>
        fetch(`${server.url}/xrpc/${nsid}?${asked}`, {
          headers: { authorization: `Bearer ${agent.session?.accessJwt}` }
        })
      // The server parses the first on the way, but not the second.
      for (const nsid of ["app.bsky.feed.getTimeline", "com.example.list"]) {
        network.appView.on(nsid, ({ params }, response) => {
          const isWhole = params.get("whole") === "yes"
          const length = { "content-length": String(text.length) }
          response.writeHead(200, {
            "content-type": "application/json",
            ...(params.get("length") === "yes" ? length : {})
          })
          if (isWhole) response.end(text)
          else response.write(text.slice(0, 60_000), () => response.destroy())
        })
        for (const length of ["yes", "no"]) {
          const whole = await answerOf(nsid, `whole=yes&length=${length}`)
          assert.strictEqual(whole.headers.get("content-length"), String(text.length))
          assert.strictEqual(await whole.text(), text)
          const broken = await answerOf(nsid, `length=${length}`)
          const failed = await broken.text().then(
            () => broken.status === 502,
            () => true
          )
          assert.isTrue(failed, `${nsid}, with its length: ${length}`)
        }
      }
    })

    it("the app gets a response of several megabytes complete without its length", async () => {
      const nsid = "com.example.library"
      const text = JSON.stringify({ pages: "page ".repeat(600_000) })
      network.appView.on(nsid, (_, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        response.write(text.slice(0, 1_000_000), () => response.end(text.slice(1_000_000)))
      })
      const answer = await fetch(`${server.url}/xrpc/${nsid}`, {
        headers: { authorization: `Bearer ${agent.session?.accessJwt}` }
      })
      assert.strictEqual(await answer.text(), text)
    })

    it("the app reports to the chosen labeler", async () => {
      const nsid = "com.atproto.moderation.createReport"
      network.moderation.on(nsid, async (received) => {
        const { iss } = await verify(received, services.moderation, nsid, keyOf)
        const report = JSON.parse(String(received.body)) as object
        return { ...report, id: 1, reportedBy: iss, createdAt: new Date().toISOString() }
      })
      const { data } = await agent
        .withProxy("atproto_labeler", services.moderation)
        .createModerationReport({
          reasonType: "com.atproto.moderation.defs#reasonSpam",
          subject: { $type: "com.atproto.admin.defs#repoRef", did: someone }
        })
      assert.strictEqual(data.reportedBy, did)
    })

    it("the server stores the app's preferences", async () => {
      await agent.setAdultContentEnabled(true)
      await agent.addSavedFeeds([
        { type: "feed", value: `at://${someone}/app.bsky.feed.generator/clouds`, pinned: true }
      ])
      const preferences = await agent.getPreferences()
      assert.isTrue(preferences.moderationPrefs.adultContentEnabled)
      assert.isTrue(preferences.savedFeeds.some(({ value }) => value.endsWith("/clouds")))
    })

    it("the app sends a chat message, and lists conversations", async () => {
      const { chat } = network
      chat.on("chat.bsky.convo.sendMessage", async (received) => {
        const lxm = "chat.bsky.convo.sendMessage"
        const { iss } = await verify(received, services.chat, lxm, keyOf)
        const { message } = JSON.parse(String(received.body)) as { readonly message: object }
        const sentAt = new Date().toISOString()
        return { ...message, id: "1", rev: "1", sender: { did: iss }, sentAt }
      })
      chat.on("chat.bsky.convo.listConvos", () => ({ convos: [] }))
      const chats = agent.withProxy("bsky_chat", services.chat).chat.bsky.convo
      const sent = await chats.sendMessage({ convoId: "1", message: { text: "psst" } })
      assert.strictEqual(sent.data.text, "psst")
      assert.strictEqual(sent.data.sender.did, did)
      assert.deepStrictEqual((await chats.listConvos()).data.convos, [])
    })

    it("the app registers for notifications", async () => {
      network.appView.on("app.bsky.notification.registerPush", (_, response) => {
        response.writeHead(200).end()
      })
      await agent.app.bsky.notification.registerPush({
        serviceDid: services.appView,
        token: "abc",
        platform: "ios",
        appId: "xyz.example"
      })
      assert.strictEqual(claimsOf(tokenOf(network.appView.last()))["aud"], services.appView)
    })

    it(`the video service uploads ${video} MB in its user's name, with a token for this server only`, async () => {
      const { data: about } = await agent.com.atproto.server.describeServer()
      assert.strictEqual(
        (about as { readonly blobUploadLimit?: number }).blobUploadLimit,
        314_572_800
      )
      const params: GetServiceAuth.QueryParams = {
        aud: about.did,
        lxm: "com.atproto.repo.uploadBlob",
        exp: Math.floor(Date.now() / 1000) + 1800
      }
      const { token } = (await agent.com.atproto.server.getServiceAuth(params)).data
      /** Uploads a film as a stream; returns its blob and the increase of memory. */
      const upload = async (megabytes: number) => {
        const memory = () => (server.workerd === undefined ? 0 : memoryOf(server.workerd))
        const before = memory()
        let peak = before
        let sent = 0
        const body = new ReadableStream<Uint8Array>({
          pull: (controller) => {
            peak = Math.max(peak, memory())
            const chunk = new Uint8Array(1_000_000).fill(megabytes)
            // The first bytes of an MP4.
            if (sent === 0) chunk.set(Buffer.from("000000206674797069736f6d", "hex"))
            sent += 1
            if (sent > megabytes) controller.close()
            else controller.enqueue(chunk)
          }
        })
        const answer = await fetch(`${server.url}/xrpc/com.atproto.repo.uploadBlob`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}`, "content-type": "video/mp4" },
          body,
          duplex: "half"
        } as RequestInit)
        assert.strictEqual(answer.status, 200)
        const { blob } = (await answer.json()) as {
          readonly blob: { readonly size: number; readonly mimeType: string }
        }
        assert.strictEqual(blob.size, megabytes * 1_000_000)
        assert.strictEqual(blob.mimeType, "video/mp4")
        return { blob, rise: peak - before }
      }
      // The first upload allocates the buffers; the next ones reuse them, whatever their size.
      await upload(Math.max(1, Math.round(video / 4)))
      const { blob, rise } = await upload(video)
      assert.isBelow(rise, 80, "the film is nowhere held whole")
      const { uri } = await agent.post({
        ...post("a film"),
        embed: { $type: "app.bsky.embed.video", video: blob } as never
      })
      assert.include(uri, did)
    })
  })
}
