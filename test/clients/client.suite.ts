import { AtpAgent, BlobRef, RichText } from "@atproto/api"
import { assert, describe, it } from "@effect/vitest"
import type { TestServer } from "../support/server/server.ts"
import { adminOf, png, post, resolverOf, signIn, signUp } from "../support/server/serverPeople.ts"

const nsid = "app.bsky.feed.post"

/** The error name of a rejected call. */
const refusal = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call
  } catch (cause) {
    return (cause as { readonly error?: string }).error ?? String(cause)
  }
  return "none"
}

const rkeyOf = (uri: string): string => uri.split("/").at(-1)!

/** The tests of what people do with the official client. */
export const clientSuite = (name: string, server: () => TestServer) => {
  describe(`the official client on ${name}`, () => {
    it("the client logs in with a handle, email address or DID, and fails with a wrong password", async () => {
      const { did, handle, password } = server().account
      for (const identifier of [handle, "you@localhost.test", did]) {
        const agent = new AtpAgent({ service: server().publicUrl })
        await agent.login({ identifier, password })
        assert.strictEqual(agent.session?.did, did)
        assert.strictEqual(agent.session?.handle, handle)
        // From the DID document in the session's response.
        assert.strictEqual(agent.pdsUrl?.origin, server().publicUrl)
      }
      const agent = new AtpAgent({ service: server().publicUrl })
      const wrong = agent.login({ identifier: handle, password: "not this one" })
      assert.strictEqual(await refusal(wrong), "AuthenticationRequired")
    })

    it("the client resumes a stored session, refreshes it, and fails after its end", async () => {
      const { agent } = await signIn(server())
      const kept = { ...agent.session! }
      const resumed = new AtpAgent({ service: server().publicUrl })
      await resumed.resumeSession(kept)
      assert.strictEqual(resumed.session?.did, kept.did)
      await resumed.sessionManager.refreshSession()
      const renewed = resumed.session!
      assert.notStrictEqual(renewed.refreshJwt, kept.refreshJwt)
      assert.strictEqual((await resumed.com.atproto.server.getSession()).data.did, kept.did)
      await resumed.logout()
      const after = new AtpAgent({ service: server().publicUrl })
      assert.strictEqual(await refusal(after.resumeSession(renewed)), "ExpiredToken")
    })

    it("the client posts with an image, likes the post, and undoes both", async () => {
      const { agent, did } = await signUp(server(), "poster")
      const image = png("of a post")
      const uploaded = await agent.uploadBlob(image, { encoding: "image/png" })
      assert.strictEqual(uploaded.data.blob.mimeType, "image/png")
      assert.strictEqual(uploaded.data.blob.size, image.length)
      const text = new RichText({ text: "a cloud, see https://example.com" })
      text.detectFacetsWithoutResolution()
      const embed = {
        $type: "app.bsky.embed.images",
        images: [{ image: uploaded.data.blob, alt: "a cloud" }]
      }
      const posted = await agent.post({ text: text.text, facets: text.facets ?? [], embed })
      const found = await agent.getPost({ repo: did, rkey: rkeyOf(posted.uri) })
      assert.strictEqual(found.cid, posted.cid)
      assert.strictEqual(found.value.facets?.length, 1)
      const shown = found.value.embed as { images: Array<{ image: BlobRef }> }
      const cid = shown.images[0]!.image.ref.toString()
      const served = await agent.com.atproto.sync.getBlob({ did, cid })
      assert.deepStrictEqual(Uint8Array.from(served.data), image)

      const { uri } = await agent.like(posted.uri, posted.cid)
      const likes = () =>
        agent.com.atproto.repo.listRecords({ repo: did, collection: "app.bsky.feed.like" })
      assert.deepStrictEqual(
        (await likes()).data.records.map((like) => like.uri),
        [uri]
      )
      await agent.deleteLike(uri)
      assert.deepStrictEqual((await likes()).data.records, [])
      await agent.deletePost(posted.uri)
      const gone = agent.com.atproto.repo.getRecord({
        repo: did,
        collection: nsid,
        rkey: rkeyOf(posted.uri)
      })
      assert.strictEqual(await refusal(gone), "RecordNotFound")
      const blob = agent.com.atproto.sync.getBlob({ did, cid })
      assert.strictEqual(await refusal(blob), "BlobNotFound")
    })

    it("the client edits a profile with an avatar twice", async () => {
      const { agent, did } = await signUp(server(), "editor")
      const { blob } = (await agent.uploadBlob(png("of a face"), { encoding: "image/png" })).data
      const edited: Array<string> = []
      const edit = (displayName: string, avatar?: BlobRef) =>
        agent.upsertProfile((before) => {
          edited.push(before?.displayName ?? "nothing")
          return { ...before, displayName, ...(avatar === undefined ? {} : { avatar }) }
        })
      await edit("first", blob)
      await edit("second")
      assert.deepStrictEqual(edited, ["nothing", "first"])
      const { data } = await agent.com.atproto.repo.getRecord({
        repo: did,
        collection: "app.bsky.actor.profile",
        rkey: "self"
      })
      const profile = data.value as { displayName: string; avatar: BlobRef }
      assert.strictEqual(profile.displayName, "second")
      assert.strictEqual(profile.avatar.ref.toString(), blob.ref.toString())
    })

    it("the client gets bytes and links back unchanged", async () => {
      const { agent, did } = await signUp(server(), "keeper")
      const collection = "com.example.keep"
      const note = (await agent.post(post("linked"))).cid
      const value = {
        bytes: { $bytes: "AAECAwQFBgc" },
        link: { $link: note },
        deep: [{ link: { $link: note } }]
      }
      const url = `${server().url}/xrpc/com.atproto.repo`
      const put = await fetch(`${url}.putRecord`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${agent.session!.accessJwt}`,
          "content-type": "application/json"
        },
        body: JSON.stringify({
          repo: did,
          collection,
          rkey: "it",
          record: { $type: collection, ...value }
        })
      })
      assert.strictEqual(put.status, 200)
      const got = await fetch(`${url}.getRecord?repo=${did}&collection=${collection}&rkey=it`)
      const { value: kept } = (await got.json()) as { value: object }
      assert.deepStrictEqual(kept, { $type: collection, ...value })
    })

    it("the client pages through its records in both directions, with any limit, during writes", async () => {
      const { agent, did } = await signUp(server(), "pager")
      const writes = Array.from({ length: 43 }, (_, at) => ({
        $type: "com.atproto.repo.applyWrites#create" as const,
        collection: nsid,
        value: post(`number ${at}`)
      }))
      const { data } = await agent.com.atproto.repo.applyWrites({ repo: did, writes })
      const own = data.results!.map((result) => rkeyOf((result as { uri: string }).uri))
      assert.deepStrictEqual(own, own.toSorted())

      const walk = async (limit: number, reverse: boolean) => {
        const seen: Array<string> = []
        let cursor: string | undefined
        do {
          const page = await agent.com.atproto.repo.listRecords({
            repo: did,
            collection: nsid,
            limit,
            reverse,
            ...(cursor === undefined ? {} : { cursor })
          })
          seen.push(...page.data.records.map(({ uri }) => rkeyOf(uri)))
          cursor = page.data.cursor
        } while (cursor !== undefined)
        return seen
      }
      for (const limit of [1, 2, 3, 7, 100]) {
        assert.deepStrictEqual(await walk(limit, true), own)
        assert.deepStrictEqual(await walk(limit, false), own.toReversed())
      }

      const end = new AbortController()
      const writer = (async () => {
        for (let at = 0; !end.signal.aborted; at++) await agent.post(post(`meanwhile ${at}`))
      })()
      const known = new Set(own)
      for (const limit of [3, 7]) {
        for (const reverse of [true, false]) {
          const seen = await walk(limit, reverse)
          assert.strictEqual(new Set(seen).size, seen.length, "none comes twice")
          const expected = reverse ? own : own.toReversed()
          assert.deepStrictEqual(
            seen.filter((rkey) => known.has(rkey)),
            expected
          )
        }
      }
      end.abort()
      await writer
    })

    it("the client gets InvalidSwap after somebody else's write", async () => {
      const { agent, did } = await signUp(server(), "swapper")
      const { repo } = agent.com.atproto
      const at = { repo: did, collection: nsid, rkey: "3kaaaaaaaaa2a" }
      const { cid: head } = (await agent.com.atproto.sync.getLatestCommit({ did })).data
      const one = (
        await repo.putRecord({ ...at, record: post("one"), swapRecord: null, swapCommit: head })
      ).data
      const taken = repo.putRecord({ ...at, record: post("two"), swapRecord: null })
      assert.strictEqual(await refusal(taken), "InvalidSwap")
      const stale = repo.createRecord({
        repo: did,
        collection: nsid,
        record: post("x"),
        swapCommit: head
      })
      assert.strictEqual(await refusal(stale), "InvalidSwap")
      const two = (await repo.putRecord({ ...at, record: post("two"), swapRecord: one.cid })).data
      assert.strictEqual(
        await refusal(repo.deleteRecord({ ...at, swapRecord: one.cid })),
        "InvalidSwap"
      )
      const batch = repo.applyWrites({
        repo: did,
        swapCommit: one.commit!.cid,
        writes: [{ $type: "com.atproto.repo.applyWrites#delete", collection: nsid, rkey: at.rkey }]
      })
      assert.strictEqual(await refusal(batch), "InvalidSwap")
      assert.strictEqual((await repo.getRecord(at)).data.cid, two.cid)
      const latest = (await agent.com.atproto.sync.getLatestCommit({ did })).data
      assert.deepStrictEqual(latest, two.commit)

      const same = (await repo.getRecord(at)).data.value
      const again = (await repo.putRecord({ ...at, record: same as Record<string, unknown> })).data
      assert.strictEqual(again.cid, two.cid)
      assert.isUndefined(again.commit, "the same content again is no commit")
      await repo.deleteRecord({ ...at, swapRecord: two.cid, swapCommit: two.commit!.cid })
      assert.strictEqual(await refusal(repo.getRecord(at)), "RecordNotFound")
      assert.deepStrictEqual((await repo.deleteRecord(at)).data, {}, "nothing there: no commit")
    })

    it("the client signs in with an app password, which can post but not administrate, until it is revoked", async () => {
      const { agent, did, handle } = await signUp(server(), "careful")
      const made = (await agent.com.atproto.server.createAppPassword({ name: "phone" })).data
      const phone = new AtpAgent({ service: server().publicUrl })
      await phone.login({ identifier: handle, password: made.password })
      const { uri } = await phone.post(post("from the phone"))
      assert.isTrue(uri.startsWith(`at://${did}/`))
      const more = phone.com.atproto.server.createAppPassword({ name: "another" })
      assert.notStrictEqual(await refusal(more), "none")
      const listed = (await agent.com.atproto.server.listAppPasswords()).data.passwords
      assert.deepStrictEqual(
        listed.map(({ name }) => name),
        ["phone"]
      )
      await agent.com.atproto.server.revokeAppPassword({ name: "phone" })
      assert.notStrictEqual(await refusal(phone.post(post("too late"))), "none")
      const again = new AtpAgent({ service: server().publicUrl })
      const login = again.login({ identifier: handle, password: made.password })
      assert.strictEqual(await refusal(login), "AuthenticationRequired")
    })

    it("the client signs up with an invite code: the new did:plc resolves, logs in and posts", async () => {
      const agent = new AtpAgent({ service: server().publicUrl })
      const invite = await agent.com.atproto.server.createInviteCode(
        { useCount: 1 },
        { ...adminOf(server()), encoding: "application/json" }
      )
      const inviteCode = invite.data.code
      const password = "a long password"
      const form = (handle: string) => ({ handle, email: `${handle}@example.com`, password })
      assert.strictEqual(
        await refusal(agent.createAccount(form("friend.test"))),
        "InvalidInviteCode"
      )
      const { did } = (await agent.createAccount({ ...form("friend.test"), inviteCode })).data
      assert.match(did, /^did:plc:[a-z2-7]{24}$/)
      const second = new AtpAgent({ service: server().publicUrl })
      const reuse = second.createAccount({ ...form("other.test"), inviteCode })
      assert.strictEqual(await refusal(reuse), "InvalidInviteCode")

      const data = await resolverOf(server()).did.resolveAtprotoData(did)
      assert.strictEqual(data.handle, "friend.test")
      assert.strictEqual(data.pds, server().publicUrl)
      assert.strictEqual((await second.resolveHandle({ handle: "friend.test" })).data.did, did)

      await second.login({ identifier: "friend.test", password })
      const { uri } = await second.post(post("I am new here"))
      const { records } = (
        await agent.com.atproto.repo.listRecords({ repo: "friend.test", collection: nsid })
      ).data
      assert.deepStrictEqual(
        records.map((record) => record.uri),
        [uri]
      )
    })
  })
}
