import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { claimsOf, services, tokenOf, verify } from "../support/network/mockNetwork.ts"
import { type MockWorld, publish, startMockWorld } from "../support/network/mockWorld.ts"
import { sendJson } from "../support/network/mockService.ts"
import { ok, outcomeOf } from "../support/http/httpWorld.ts"
import { letIn, withApp } from "../support/http/httpApps.ts"

const getFeed = "app.bsky.feed.getFeed"
const skeleton = "app.bsky.feed.getFeedSkeleton"
const getRecord = "com.atproto.repo.getRecord"
const author = "did:plc:z72i7hdynmk6r22z27h6tvur"

/** An app's push registration. */
const input = (serviceDid: unknown) => ({
  serviceDid,
  token: "abc",
  platform: "ios",
  appId: "xyz"
})

const named = (name: string) => ({ "atproto-proxy": name })

describe("methods with their own rules", () => {
  let world: MockWorld
  let auth: string
  beforeAll(async () => {
    world = await startMockWorld()
    auth = world.alice.auth
  })
  afterAll(() => world.close())

  const keyOf = async (did: string): Promise<string> => {
    const { body } = await world.call("com.atproto.identity.resolveDid", { params: { did } })
    return `did:key:${body["didDoc"].verificationMethod[0].publicKeyMultibase}`
  }

  let count = 0
  /** A feed that nobody has requested before. */
  const newFeed = () => `at://${author}/app.bsky.feed.generator/feed${(count += 1)}`

  describe("getFeed", () => {
    beforeEach(() => {
      const { appView, generator } = world.services
      appView.on(getRecord, ({ params }) => ({
        uri: `at://${params.get("repo")}/${params.get("collection")}/${params.get("rkey")}`,
        value: { $type: "app.bsky.feed.generator", did: services.generator }
      }))
      // Like the AppView, it sends its token to the feed's generator.
      appView.on(getFeed, async ({ params, headers }) => {
        const asked = await fetch(`${generator.url}/xrpc/${skeleton}?feed=${params.get("feed")}`, {
          headers: { authorization: headers.authorization ?? "" }
        })
        return asked.json()
      })
      generator.on(skeleton, async (received) => {
        const { iss } = await verify(received, services.generator, skeleton, keyOf)
        return { feed: [], for: iss }
      })
      world.network.servers.add(generator.url)
    })

    it("getFeed goes to the AppView with a token that the feed's generator accepts", async () => {
      const feed = newFeed()
      const answer = ok(await world.call(getFeed, { params: { feed, limit: 3 }, auth }))
      assert.strictEqual(answer["for"], world.alice.did)
      const received = world.services.appView.last()
      assert.strictEqual(received.path, `/xrpc/${getFeed}`)
      assert.strictEqual(received.params.get("limit"), "3")
      const { aud, lxm } = claimsOf(tokenOf(received))
      assert.deepStrictEqual([aud, lxm], [services.generator, skeleton])
    })

    it("getFeed looks the generator up once, without a token", async () => {
      const feed = newFeed()
      const { appView } = world.services
      const lookUps = () => appView.received.filter(({ path }) => path === `/xrpc/${getRecord}`)
      const before = lookUps().length
      for (let time = 0; time < 3; time += 1) {
        ok(await world.call(getFeed, { params: { feed }, auth }))
      }
      assert.strictEqual(lookUps().length, before + 1)
      assert.isUndefined(lookUps().at(-1)?.headers.authorization)
    })

    it("getFeed returns UnknownFeed for a missing feed", async () => {
      const { appView } = world.services
      const missing = { error: "RecordNotFound", message: "Could not locate record" }
      const records = [
        (_: unknown, response: Parameters<typeof sendJson>[0]) => sendJson(response, 400, missing),
        () => ({ value: { did: 5 } }),
        () => ({ value: { did: "did:key:zabc" } }),
        () => ({ value: null }),
        () => ["nothing"]
      ]
      for (const record of records) {
        appView.on(getRecord, record)
        const answer = await world.call(getFeed, { params: { feed: newFeed() }, auth })
        assert.strictEqual(outcomeOf(answer), "400 UnknownFeed")
      }
      for (const feed of ["nonsense", `at://${author}/app.bsky.feed.post/a`, `at://${author}`]) {
        const answer = await world.call(getFeed, { params: { feed }, auth })
        assert.strictEqual(outcomeOf(answer), "400 UnknownFeed", feed)
      }
      for (const params of [{}, { feed: "" }]) {
        const answer = await world.call(getFeed, { params, auth })
        assert.strictEqual(outcomeOf(answer), "400 InvalidRequest")
      }
      appView.on(getRecord, (_, response) => sendJson(response, 500, {}))
      const answer = await world.call(getFeed, { params: { feed: newFeed() }, auth })
      assert.strictEqual(outcomeOf(answer), "502 UpstreamFailure")
    })

    it("getFeed needs an app's permission for the feed and for its skeleton", async () => {
      const feed = newFeed()
      const as = async (granted: string) => {
        const app = await letIn(world, world.alice.did, `atproto ${granted}`)
        const asked = await withApp(world, app, getFeed, { params: { feed } })
        return outcomeOf(await world.call(getFeed, asked))
      }
      assert.strictEqual(await as(`rpc?lxm=${getFeed}&lxm=${skeleton}&aud=*`), "ok")
      assert.strictEqual(await as("transition:generic"), "ok")
      assert.strictEqual(await as(`rpc:${getFeed}?aud=*`), "403 ScopeMissingError")
      assert.strictEqual(await as(`rpc:${skeleton}?aud=*`), "403 ScopeMissingError")
    })

    it("getFeed asks the author's host if there is no AppView", async () => {
      const other = await startMockWorld({ APP_VIEW: "none" })
      const { generator } = other.services
      const did = publish(other, "author.example.com", {})
      other.network.web.set(`https://author.example.com/.well-known/did.json`, () =>
        Response.json({
          id: did,
          service: [
            {
              id: "#atproto_pds",
              type: "AtprotoPersonalDataServer",
              serviceEndpoint: generator.url
            }
          ]
        })
      )
      generator.on(getRecord, () => ({ value: { did: services.generator } }))
      generator.on(getFeed, () => ({ feed: [] }))
      const view = publish(other, "view.example.com", { view: generator.url })
      ok(
        await other.call(getFeed, {
          params: { feed: `at://${did}/app.bsky.feed.generator/a` },
          auth: other.alice.auth,
          headers: { "atproto-proxy": `${view}#view` }
        })
      )
      assert.strictEqual(claimsOf(tokenOf(generator.last()))["aud"], services.generator)
      await other.close()
    })
  })

  describe("registerPush and unregisterPush", () => {
    const nsids = ["app.bsky.notification.registerPush", "app.bsky.notification.unregisterPush"]

    it("push registrations go to the notification service in their body", async () => {
      const { chat, appView } = world.services
      const notifier = publish(world, "push.example.com", { bsky_notif: chat.url })
      for (const nsid of nsids) {
        for (const service of [chat, appView]) {
          service.on(nsid, (_, response) => {
            response.writeHead(200).end()
          })
        }
        const headers = { "atproto-proxy": `${services.appView}#bsky_appview` }
        const answer = await world.call(nsid, { auth, input: input(notifier), headers })
        assert.strictEqual(answer.status, 200, answer.text)
        assert.strictEqual(answer.bytes.length, 0)
        assert.deepStrictEqual(JSON.parse(chat.last().body.toString()), input(notifier))
        const { aud, lxm } = claimsOf(tokenOf(chat.last()))
        assert.deepStrictEqual([aud, lxm], [notifier, nsid])
        // The AppView accepts them itself.
        const usual = await world.call(nsid, { auth, input: input(services.appView) })
        assert.strictEqual(usual.status, 200, usual.text)
        assert.strictEqual(appView.last().path, `/xrpc/${nsid}`)
        assert.strictEqual(claimsOf(tokenOf(appView.last()))["aud"], services.appView)
      }
    })

    it("push registrations fail without a service", async () => {
      const nsid = nsids[0]!
      const bodies = [input("nobody"), input(5), input("did:web:nobody.example.com"), [], null]
      for (const body of bodies) {
        const answer = await world.call(nsid, { auth, input: body })
        assert.strictEqual(outcomeOf(answer), "400 InvalidRequest", JSON.stringify(body))
      }
    })

    it("push registrations need an app's permission for this notification service", async () => {
      const nsid = nsids[0]!
      const as = async (granted: string) => {
        const app = await letIn(world, world.alice.did, `atproto ${granted}`)
        const asked = { input: input(services.appView) }
        return outcomeOf(await world.call(nsid, await withApp(world, app, nsid, asked)))
      }
      assert.strictEqual(await as(`rpc:${nsid}?aud=${services.appView}%23bsky_notif`), "ok")
      const other = `rpc:${nsid}?aud=${services.appView}%23bsky_appview`
      assert.strictEqual(await as(other), "403 ScopeMissingError")
    })
  })

  describe("reports", () => {
    const report = "com.atproto.moderation.createReport"
    const spam = {
      reasonType: "com.atproto.moderation.defs#reasonSpam",
      subject: { $type: "com.atproto.admin.defs#repoRef", did: author }
    }

    it("a report goes to the labeler that the app names, or else to the server's own", async () => {
      const { chat, moderation } = world.services
      for (const service of [chat, moderation])
        service.on(report, ({ body }) => JSON.parse(String(body)))
      assert.deepStrictEqual(ok(await world.call(report, { auth, input: spam })), spam)
      assert.strictEqual(claimsOf(tokenOf(moderation.last()))["aud"], services.moderation)
      const labeler = publish(world, "labels.example.com", { atproto_labeler: chat.url })
      const headers = { "atproto-proxy": `${labeler}#atproto_labeler` }
      ok(await world.call(report, { auth, input: spam, headers }))
      assert.strictEqual(claimsOf(tokenOf(chat.last()))["aud"], labeler)
    })
  })

  describe("preferences", () => {
    const get = "app.bsky.actor.getPreferences"
    const put = "app.bsky.actor.putPreferences"

    it("preferences need an app's permission for the server's own AppView", async () => {
      const as = async (granted: string) => {
        const app = await letIn(world, world.alice.did, `atproto ${granted}`)
        return outcomeOf(await world.call(get, await withApp(world, app, get)))
      }
      assert.strictEqual(await as(`rpc:${get}?aud=${services.appView}%23bsky_appview`), "ok")
      const other = `rpc:${get}?aud=did:web:api.bsky.app%23bsky_appview`
      assert.strictEqual(await as(other), "403 ScopeMissingError")
    })

    it("preferences are never requested from another PDS, which may trust the account as a moderator", async () => {
      const { chat } = world.services
      const before = chat.received.length
      const other = publish(world, "pds.example.com", { atproto_pds: chat.url })
      const headers = named(`${other}#atproto_pds`)
      const query = { params: { did: world.bob.did } }
      ok(await world.call(get, { auth, headers, ...query }))
      ok(await world.call(put, { auth, headers, input: { preferences: [] } }))
      assert.strictEqual(chat.received.length, before)
    })

    it("preferences for this server's AppView are stored here, and any other AppView stores its own", async () => {
      const { appView, chat } = world.services
      const preferences = [{ $type: "app.bsky.actor.defs#adultContentPref", enabled: true }]
      const own = named(`${services.appView}#bsky_appview`)
      const before = appView.received.length
      const kept = await world.call(put, { auth, input: { preferences }, headers: own })
      assert.strictEqual(kept.status, 200, kept.text)
      for (const headers of [{}, own]) {
        assert.deepStrictEqual(
          ok(await world.call(get, { auth, headers }))["preferences"],
          preferences
        )
      }
      assert.strictEqual(appView.received.length, before)
      chat.on(get, () => ({ preferences: [{ $type: "com.example.other" }] }))
      chat.on(put, () => ({}))
      const other = publish(world, "second.example.com", { bsky_appview: chat.url })
      const headers = named(`${other}#bsky_appview`)
      const theirs = ok(await world.call(get, { auth, headers }))
      assert.deepStrictEqual(theirs["preferences"], [{ $type: "com.example.other" }])
      ok(await world.call(put, { auth, headers, input: { preferences: [] } }))
      assert.deepStrictEqual(ok(await world.call(get, { auth }))["preferences"], preferences)
    })
  })
})
