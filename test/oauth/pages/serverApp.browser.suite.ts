import { readdirSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Agent, AtpAgent } from "@atproto/api"
import { OAuthCallbackError, TokenRefreshError } from "@atproto/oauth-client-node"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import type { BrowserContext } from "playwright-core"
import { allow, arrive, look, signInHere, signInUnseen } from "../../support/browser/browser.ts"
import {
  makeAppKey,
  type ServerApp,
  startServerApp,
  travel
} from "../../support/browser/browserServerApp.ts"
import type { TestServer } from "../../support/server/server.ts"
import { adminOf, type Person } from "../../support/server/serverPeople.ts"
import type { BrowserWorld } from "../../support/browser/world.ts"

/** The error with which the client reports a missing session. */
const refusal = async ({ client }: ServerApp, params: URLSearchParams): Promise<string | null> => {
  const cause = await client.callback(params).catch((error: unknown) => error)
  return cause instanceof OAuthCallbackError ? cause.params.get("error") : String(cause)
}

/** The error of a call. */
const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error
  )

const invite = async (server: TestServer): Promise<string> => {
  const agent = new AtpAgent({ service: server.publicUrl })
  const made = await agent.com.atproto.server.createInviteCode(
    { useCount: 1 },
    { ...adminOf(server), encoding: "application/json" }
  )
  return made.data.code
}

/** Moves the expiration of a client's sessions into the past, in the files of a stopped server. */
const expireSessions = (dataDir: string, clientId: string): void => {
  const files = readdirSync(dataDir, { recursive: true, encoding: "utf8" })
  let changed = 0
  for (const file of files.filter((name) => name.endsWith(".sqlite"))) {
    const database = new DatabaseSync(join(dataDir, file))
    const tables = database.prepare("SELECT name FROM sqlite_master").all()
    if (tables.some(({ name }) => name === "oauth_session")) {
      const past = database.prepare("UPDATE oauth_session SET expires_at = ? WHERE client = ?")
      changed += Number(past.run(Date.now() - 1000, clientId).changes)
    }
    database.close()
  }
  if (changed === 0) throw new Error("no session was found in the server's files")
}

/** What users do with apps that run on servers and authenticate with a key. */
export const serverAppSuite = (world: () => BrowserWorld) => {
  describe("the official client on a server", () => {
    let bob: Person
    let app: ServerApp
    let context: BrowserContext
    beforeAll(async () => {
      bob = await world().person("bob")
      const keys = [await makeAppKey("first")]
      app = startServerApp(world().server, world().published.web, { keys })
      context = await world().visitor()
      await signInUnseen(context, world().server.publicUrl, bob)
      return () => world().forget(context)
    })

    /** Connects the app; the user is signed in on the device and has to consent. */
    const letIn = async (app: ServerApp) => {
      const url = await app.client.authorize(bob.handle, { prompt: "consent" })
      const { params } = await travel(context, url, app, allow)
      return (await app.client.callback(params)).session
    }

    it("the client signs in with its key, writes, refreshes, comes back from its store and signs out", async () => {
      const url = await app.client.authorize(bob.handle, { state: "of the app" })
      const stranger = await world().visitor()
      const { method, params } = await travel(stranger, url, app, async (page) => {
        await signInHere(page, bob)
        await arrive(page, "Allow this app")
        await look(page, "consent-web")
        await allow(page)
      })
      await world().forget(stranger)
      assert.strictEqual(method, "GET")
      const { session, state } = await app.client.callback(params)
      assert.strictEqual(session.did, bob.did)
      assert.strictEqual(state, "of the app")
      const written = await new Agent(session).post({ text: "from a server" })
      assert.include(written.uri, bob.did)

      const refreshToken = () => app.sessions.get(bob.did)?.tokenSet.refresh_token
      const before = refreshToken()
      const renewed = await app.client.restore(bob.did, true)
      assert.notStrictEqual(refreshToken(), before)
      const agent = new Agent(renewed)
      assert.strictEqual((await agent.com.atproto.server.getSession()).data.handle, bob.handle)
      await new Agent(await app.client.restore(bob.did)).deletePost(written.uri)

      await renewed.signOut()
      assert.isUndefined(app.sessions.get(bob.did))
      assert.strictEqual(app.ended.at(-1), "TokenRevokedError")
    })

    it("the client's user consents once, unless the client asks again", async () => {
      await letIn(app)
      const again = await app.client.authorize(bob.handle)
      const way = await travel(context, again, app, async () => undefined)
      assert.strictEqual((await app.client.callback(way.params)).session.did, bob.did)
      const silent = await app.client.authorize(bob.handle, { prompt: "none" })
      const unseen = await travel(context, silent, app, async () => undefined)
      assert.strictEqual((await app.client.callback(unseen.params)).session.did, bob.did)
      const proving = await app.client.authorize(bob.handle, { prompt: "login" })
      const proven = await travel(context, proving, app, (page) => signInHere(page, bob))
      assert.strictEqual((await app.client.callback(proven.params)).session.did, bob.did)
    })

    it("the client gets an error when nobody is signed in and it requested no page", async () => {
      const stranger = await world().visitor()
      const url = await app.client.authorize(bob.handle, { prompt: "none" })
      const { params } = await travel(stranger, url, app, async () => undefined)
      assert.strictEqual(params.get("error"), "login_required")
      assert.strictEqual(await refusal(app, params), "login_required")
      await world().forget(stranger)
    })

    it("the client accepts its response as a form", async () => {
      const { published, server } = world()
      const keys = [await makeAppKey("posted")]
      const posted = startServerApp(server, published.posted, { keys, responseMode: "form_post" })
      const way = await travel(context, await posted.client.authorize(bob.handle), posted, allow)
      assert.strictEqual(way.method, "POST")
      const { session } = await posted.client.callback(way.params)
      assert.strictEqual(session.did, bob.did)
      await letIn(app)
      // Signing out of one app leaves the other signed in.
      await session.signOut()
      const other = new Agent(await app.client.restore(bob.did))
      assert.strictEqual((await other.com.atproto.server.getSession()).data.did, bob.did)
      const refused = await posted.client.authorize(bob.handle, { prompt: "consent" })
      const no = await travel(context, refused, posted, async (page) => {
        await arrive(page, "Allow this app")
        await page.getByRole("button", { name: "Cancel" }).click()
      })
      assert.strictEqual(no.method, "POST")
      assert.strictEqual(await refusal(posted, no.params), "access_denied")
    })

    it("the client takes a new user through sign-up", async () => {
      const { server } = world()
      const code = await invite(server)
      const url = await app.client.authorize(server.publicUrl, { prompt: "create" })
      const newcomer = await world().visitor()
      const { params } = await travel(newcomer, url, app, async (page) => {
        await arrive(page, "Create")
        await look(page, "sign-up")
        await page.getByLabel("Username").first().fill("newcomer")
        await page.getByLabel("Email").fill("newcomer@example.com")
        await page.getByLabel("Password").first().fill("a password of theirs")
        await page.getByLabel("Invite").fill(code)
        await page.getByRole("button", { name: "Create account" }).click()
        await allow(page)
      })
      const { session } = await app.client.callback(params)
      const { data } = await new Agent(session).com.atproto.server.getSession()
      assert.strictEqual(data.handle, "newcomer.test")
      await world().forget(newcomer)
    })

    it("the client's user reactivates an account before the client may use it", async () => {
      await bob.agent.com.atproto.server.deactivateAccount({})
      const url = await app.client.authorize(world().server.publicUrl)
      const { params } = await travel(context, url, app, async (page) => {
        await arrive(page, "Your account is deactivated")
        await look(page, "deactivated")
        await page.getByRole("button", { name: "Reactivate and continue" }).click()
        await allow(page)
      })
      const { session } = await app.client.callback(params)
      assert.strictEqual(
        (await new Agent(session).com.atproto.server.getSession()).data.active,
        true
      )
    })

    it("the client loses its sessions when they expire, and when it withdraws their key", async () => {
      const { published, server } = world()
      const [old, young] = [await makeAppKey("old"), await makeAppKey("young")]
      const rotating = startServerApp(server, published.rotating, { keys: [old] })
      await letIn(rotating)
      await letIn(app)
      published.rotating.files.set("/jwks.json", { keys: [young.publicJwk] })
      // Keys are cached for minutes, and the server's clock can't be changed: a restart clears the
      // cache, and the account's rows are edited.
      await server.restart((dataDir) =>
        expireSessions(dataDir, app.client.clientMetadata.client_id)
      )

      const lost = await failure(rotating.client.restore(bob.did, true))
      assert.instanceOf(lost, TokenRefreshError)
      assert.include(String(lost), "no longer publishes the key")
      const over = await failure(app.client.restore(bob.did, true))
      assert.instanceOf(over, TokenRefreshError)
      for (const { sessions } of [rotating, app]) assert.isUndefined(sessions.get(bob.did))
    })
  })
}
