import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { OAuthSessions } from "../../src/services/oauth/OAuthSessions.ts"
import { AppPasswords } from "../../src/services/sessions/AppPasswords.ts"
import { OwnTokens } from "../../src/services/sessions/OwnTokens.ts"
import { Sessions } from "../../src/services/sessions/Sessions.ts"
import { letIn, withApp } from "../support/http/httpApps.ts"
import { type Asked, basic, bearer, requestOf } from "../support/http/httpHost.ts"
import { ownToken, scopedSession } from "../support/http/httpScoped.ts"
import {
  ok,
  type Person,
  png,
  post,
  session,
  signUp,
  startWorld,
  takeDown,
  type World
} from "../support/http/httpWorld.ts"

const scope = "atproto transition:generic"

/** A way in, and how its owner ends it. */
interface WayIn {
  readonly use: (nsid: string, asked: Asked) => Promise<Asked>
  readonly end: Effect.Effect<void, unknown, AppPasswords | OAuthSessions | OwnTokens | Sessions>
}

const withAuth =
  (auth: string): WayIn["use"] =>
  async (_, asked) => ({ ...asked, auth })

const ways: Readonly<Record<string, (world: World, who: Person) => Promise<WayIn>>> = {
  "a session": async (world, { did }) => ({
    use: withAuth(bearer((await session(world, did, "full")).accessJwt)),
    end: Effect.flatMap(Sessions, (sessions) => sessions.endAll())
  }),
  "a scoped app password": async (world, { did }) => ({
    use: withAuth(bearer((await scopedSession(world, did, { name: "app", scope })).accessJwt)),
    end: Effect.flatMap(AppPasswords, (passwords) => passwords.revoke("app"))
  }),
  "an access token": async (world, { did }) => ({
    use: withAuth(bearer(await ownToken(world, did, { name: "token", scope }))),
    end: Effect.flatMap(OwnTokens, (tokens) => tokens.revoke("token"))
  }),
  "an app": async (world, { did }) => {
    const app = await letIn(world, did, scope)
    return {
      use: (nsid, asked) => withApp(world, app, nsid, asked),
      end: Effect.flatMap(OAuthSessions, (sessions) => sessions.end(app.session))
    }
  }
}

describe("a credential that ends while a body is on its way", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  /** Sends a request whose body ends only after `meanwhile`; returns the status. */
  const sendSlowly = async (
    nsid: string,
    asked: Asked,
    { type, withLength }: { readonly type: string; readonly withLength: boolean },
    meanwhile: () => Promise<unknown>
  ): Promise<number> => {
    const bytes =
      asked.body instanceof Uint8Array
        ? asked.body
        : new TextEncoder().encode(JSON.stringify(asked.input))
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    const { input: _, ...rest } = asked
    const length = withLength ? { "content-length": String(bytes.byteLength) } : {}
    const headers = { ...asked.headers, "content-type": type, ...length }
    const responded = world.handler(
      requestOf(`/xrpc/${nsid}`, { ...rest, body: readable, headers })
    )
    await writer.write(bytes.slice(0, 10))
    await meanwhile()
    await writer.write(bytes.slice(10))
    await writer.close()
    const response = await responded
    await response.body?.cancel()
    return response.status
  }

  const json = { type: "application/json", withLength: true }

  const posting = (who: Person): Asked => ({
    input: { repo: who.did, collection: "app.bsky.feed.post", record: post("late") }
  })

  const createRecord = "com.atproto.repo.createRecord"

  const recordsOf = async ({ did }: Person): Promise<number> => {
    const params = { repo: did, collection: "app.bsky.feed.post" }
    return ok(await world.call("com.atproto.repo.listRecords", { params }))["records"].length
  }

  for (const [name, make] of Object.entries(ways)) {
    it(`${name} writes nothing once it has ended, although its request began before`, async () => {
      for (const withLength of [true, false]) {
        const who = await signUp(world, `late${world.next()}`)
        const { use, end } = await make(world, who)
        const send = async (meanwhile: () => Promise<unknown>) =>
          sendSlowly(
            createRecord,
            await use(createRecord, posting(who)),
            { ...json, withLength },
            meanwhile
          )
        assert.strictEqual(await send(async () => {}), 200)
        assert.isAtLeast(await send(() => world.inside(who.did, end)), 400)
        assert.strictEqual(await recordsOf(who), 2)
      }
    })
  }

  it("a session writes nothing after the account was taken down, deactivated, or got a new password", async () => {
    const changes: ReadonlyArray<(who: Person) => Promise<unknown>> = [
      ({ did }) => takeDown(world, did, "takendown"),
      ({ auth }) =>
        world.call("com.atproto.server.deactivateAccount", { input: {}, auth }).then(ok),
      ({ did }) =>
        world
          .call("com.atproto.admin.updateAccountPassword", {
            auth: basic(),
            input: { did, password: "another long password" }
          })
          .then(ok)
    ]
    for (const change of changes) {
      for (const withLength of [true, false]) {
        const who = await signUp(world, `late${world.next()}`)
        const auth = bearer((await session(world, who.did, "full")).accessJwt)
        const asked = { ...posting(who), auth }
        const status = await sendSlowly(createRecord, asked, { ...json, withLength }, () =>
          change(who)
        )
        assert.isAtLeast(status, 400, String(change))
      }
    }
  })

  it("neither an import nor an upload counts that ends after its session", async () => {
    const who = await signUp(world, `late${world.next()}`)
    const params = { did: who.did }
    const before = await world.call("com.atproto.sync.getRepo", { params })
    const input = posting(who).input
    ok(await world.call(createRecord, { input, auth: who.auth }))
    const end = () =>
      world.inside(
        who.did,
        Effect.flatMap(Sessions, (sessions) => sessions.endAll())
      )
    const sent = [
      ["com.atproto.repo.importRepo", "application/vnd.ipld.car", before.bytes],
      ["com.atproto.repo.uploadBlob", "image/png", png("late")]
    ] as const
    for (const [nsid, type, bytes] of sent) {
      const auth = bearer((await session(world, who.did, "full")).accessJwt)
      const asked = { body: bytes as Uint8Array<ArrayBuffer>, auth }
      const status = await sendSlowly(nsid, asked, { type, withLength: true }, end)
      assert.isAtLeast(status, 400, nsid)
    }
    assert.strictEqual(await recordsOf(who), 2)
  })
})
