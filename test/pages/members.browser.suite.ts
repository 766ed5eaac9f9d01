import { Agent, AtpAgent } from "@atproto/api"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import type { BrowserContext, Page } from "playwright-core"
import { allow, arrive, look, signInHere, signInUnseen } from "../support/browser/browser.ts"
import { makeAppKey, startServerApp, travel } from "../support/browser/browserServerApp.ts"
import type { BrowserWorld } from "../support/browser/world.ts"
import type { Person } from "../support/server/serverPeople.ts"

/** What members find on their pages, all of it without JavaScript. */
export const membersSuite = (world: () => BrowserWorld) => {
  describe("a member without JavaScript", () => {
    let mia: Person
    let context: BrowserContext
    let page: Page
    const address = "mia@example.com"
    const scripts = { scripts: false }
    const open = (path: string) => page.goto(`${world().server.publicUrl}${path}`)
    const click = (name: string) => page.getByRole("button", { name, exact: true }).click()
    const link = (name: string) => page.getByRole("link", { name, exact: true }).click()
    const row = (name: string) => page.getByRole("listitem").filter({ hasText: name })
    const secret = () => page.locator(".secret code").innerText()

    beforeAll(async () => {
      mia = await world().person("mia")
      context = await world().visitor({ javaScriptEnabled: false })
      await signInUnseen(context, world().server.publicUrl, mia)
      page = await context.newPage()
      await open("/account/apps")
      await arrive(page, "Apps")
      return () => world().forget(context)
    })

    /** A client that signs in with a password. */
    const signedIn = async (password: string, more: object = {}) => {
      const agent = new AtpAgent({ service: world().server.publicUrl })
      await agent.login({ identifier: mia.handle, password, ...more })
      return agent
    }

    const failure = (call: Promise<unknown>): Promise<string> =>
      call.then(
        () => "ok",
        (error: { readonly error?: string }) => error.error ?? String(error)
      )

    it("a member makes app passwords with each scope, sees their last use, and revokes them", async () => {
      const make = async (name: string, choose: () => Promise<void>) => {
        await link("Create an app password")
        await page.getByLabel("Name").fill(name)
        await choose()
        await click("Create app password")
        await arrive(page, "Your new app password")
        const password = await secret()
        await link("Done")
        return password
      }
      const choose = (label: string) => page.getByLabel(label).check()
      await look(page, "account-apps-empty", scripts)
      const full = await make("Old phone", async () => undefined)
      const chats = await make("Chat app", () => choose("reading and sending direct messages"))
      const reader = await make("Reader", () => choose("Read only"))
      await link("Create an app password")
      await page.getByLabel("Name").fill("Poster")
      await choose("Only what I choose below")
      await click("Create app password")
      await page.getByText("Choose at least one permission.").waitFor()
      await look(page, "account-app-password-refused", scripts)
      await page.getByLabel("Create, edit and delete posts").check()
      await click("Create app password")
      const poster = await secret()
      await link("Done")
      assert.strictEqual(await row("Not used yet.").count(), 4)

      const [aFull, aChats, aReader, aPoster] = await Promise.all(
        [full, chats, reader, poster].map((password) => signedIn(password))
      )
      assert.strictEqual(await failure(aFull!.post({ text: "in full" })), "ok")
      assert.strictEqual(await failure(aChats!.post({ text: "with chats" })), "ok")
      const { uri, cid } = await aPoster!.post({ text: "chosen" })
      assert.strictEqual(await failure(aPoster!.like(uri, cid)), "ScopeMissingError")
      assert.strictEqual(await failure(aReader!.post({ text: "never" })), "ScopeMissingError")
      const more = () => aFull!.com.atproto.server.createAppPassword({ name: "more" })
      assert.notStrictEqual(await failure(more()), "ok")
      await open("/account/apps")
      assert.strictEqual(await row("Last used just now.").count(), 4)
      for (const summary of await page.getByText("What it can do").all()) await summary.click()
      await look(page, "account-apps-passwords", scripts)

      for (const [name, agent] of [
        ["Old phone", aFull],
        ["Chat app", aChats],
        ["Reader", aReader],
        ["Poster", aPoster]
      ] as const) {
        await row(name).getByRole("button", { name: "Revoke" }).first().click()
        await page.getByText("App password revoked.").waitFor()
        assert.notStrictEqual(await failure(agent!.com.atproto.server.getSession()), "ok", name)
      }
    })

    it("a member makes an access token, which a script sends until it's revoked", async () => {
      const { publicUrl } = world().server
      await link("Create an access token")
      await arrive(page, "Create an access token")
      await look(page, "account-access-token", scripts)
      await page.getByLabel("Name").fill("Backup script")
      await page.getByLabel("Days until it expires").fill("400")
      await click("Create access token")
      await page.getByText("Enter a number of days from 1 to 366.").waitFor()
      await look(page, "account-access-token-refused", scripts)
      await page.getByLabel("Days until it expires").fill("30")
      await click("Create access token")
      await arrive(page, "Your new access token")
      await look(page, "account-access-token-created", scripts)
      const token = await secret()
      const call = async (method: string, body?: object) => {
        const answer = await fetch(`${publicUrl}/xrpc/${method}`, {
          headers: {
            authorization: `Bearer ${token}`,
            ...(body === undefined ? {} : { "content-type": "application/json" })
          },
          ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) })
        })
        return answer.status
      }
      assert.strictEqual(await call("com.atproto.server.getSession"), 200)
      const record = { $type: "app.bsky.feed.post", text: "no", createdAt: "2026-01-01T00:00:00Z" }
      const post = { repo: mia.did, collection: "app.bsky.feed.post", record }
      assert.strictEqual(await call("com.atproto.repo.createRecord", post), 403)
      await link("Done")
      assert.notInclude(await page.content(), token)
      await row("Backup script").getByText("Last used just now.").waitFor()
      await look(page, "account-apps-token", scripts)
      await row("Backup script").getByRole("button", { name: "Revoke" }).click()
      await page.getByText("Access token revoked.").waitFor()
      assert.strictEqual(await call("com.atproto.server.getSession"), 400)
    })

    it("a mail about a sign-in points to the device, which its owner signs out; later, and for others, it does nothing", async () => {
      const { mailbox, server } = world()
      const petra = await world().person("petra")
      const own = await world().visitor({ javaScriptEnabled: false })
      await signInUnseen(own, server.publicUrl, petra)
      const page = await own.newPage()
      const row = (name: string) => page.getByRole("listitem").filter({ hasText: name })
      const stranger = await world().visitor({
        userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
      })
      const other = await stranger.newPage()
      await other.goto(`${server.publicUrl}/account`)
      await signInHere(other, { ...petra, password: "a guess" })
      await other.getByRole("alert").waitFor()
      await signInHere(other, petra)
      await arrive(other, "Your account")
      const { text } = await mailbox.mail("petra@example.com", "Device: Firefox on Linux")
      const to = /https?:\/\/\S+\/account\/devices/.exec(text)?.[0] ?? ""
      await page.goto(to)
      await arrive(page, "Where you’re signed in")
      await look(page, "account-devices-two", scripts)
      await row("Firefox").getByRole("button", { name: "Sign out" }).click()
      await page.getByText("That device is signed out.").waitFor()
      await other.goto(to)
      const nora = await world().person("nora")
      await signInHere(other, nora)
      await arrive(other, "Where you’re signed in")
      assert.strictEqual(await other.getByRole("listitem").count(), 1)
      await page.goto(to)
      await row("This device").waitFor()
      assert.strictEqual(await page.getByRole("listitem").count(), 1)

      await page.goto(`${server.publicUrl}/account/activity`)
      await arrive(page, "Activity")
      await row("Failed sign-ins").getByText("1 wrong password").waitFor()
      await row("New sign-in").getByText("Firefox on Linux").waitFor()
      await world().forget(stranger)
      await world().forget(own)
    })

    it("the activity page lists what a member did with app passwords and access tokens", async () => {
      await open("/account/activity")
      for (const entry of [
        "App password created",
        "App password revoked",
        "Access token created",
        "Access token revoked",
        "Account created"
      ]) {
        await row(entry).first().waitFor()
      }
      await look(page, "account-activity", scripts)
    })

    it("a member confirms the address, turns codes by email on, signs in with one, and turns them off", async () => {
      const { mailbox } = world()
      await open("/account/email-factor")
      await look(page, "account-email-factor-unconfirmed", scripts)
      await link("Confirm your email address")
      await look(page, "account-email", scripts)
      await page
        .getByRole("button", { name: `Send a code to ${address}` })
        .first()
        .click()
      await page.getByText("We’ve sent you a code.").waitFor()
      const confirming = await mailbox.code(address, "Confirm your email address")
      await page.getByLabel("Code").first().fill(confirming)
      await click("Confirm")
      await page.getByText("Your email address is confirmed.").waitFor()
      await open("/account/security")
      await link("Set up codes by email")
      await look(page, "account-email-factor", scripts)
      await click("Turn on codes by email")
      await page.getByText("Codes by email are on.").waitFor()

      await click("Sign out")
      await signInHere(page, mia)
      await arrive(page, "One more step")
      await look(page, "second-step-mailed", scripts)
      await page.getByLabel("Code").fill("AAAAA-AAAAA")
      await click("Continue")
      await page.getByText("That code is wrong").waitFor()
      await look(page, "second-step-mailed-refused", scripts)
      await click("Email me another code")
      await page.getByText("We’ve emailed you another code.").waitFor()
      await page.getByLabel("Code").fill(await mailbox.code(address, "Your sign-in code", 2))
      await click("Continue")
      await arrive(page, "Your account")

      // The order of the Bluesky app's calls: sign in, ask for the code, switch off.
      assert.strictEqual(await failure(signedIn(mia.password)), "AuthFactorTokenRequired")
      const authFactorToken = await mailbox.code(address, "Your sign-in code", 3)
      const agent = await signedIn(mia.password, { authFactorToken })
      assert.isTrue(agent.session?.emailAuthFactor)

      await open("/account/email-factor")
      await look(page, "account-email-factor-on", scripts)
      await click(`Send a code to ${address}`)
      await page.getByText("We’ve sent you a code.").waitFor()
      await page.getByLabel("Code").fill(await mailbox.code(address, "Change your email address"))
      await click("Turn off")
      await page.getByText("Codes by email are off.").waitFor()
      const { data } = await agent.com.atproto.server.getSession()
      assert.isFalse(data.emailAuthFactor)
    })

    it("an app gets only what its user leaves ticked, and isn't given more when it asks again", async () => {
      const { published, server } = world()
      const app = startServerApp(server, published.granular, {
        keys: [await makeAppKey("granular")],
        scope:
          "atproto repo:app.bsky.feed.post repo:app.bsky.feed.like blob:image/* account:email identity:handle"
      })
      const letIn = async (
        prompt: "consent" | undefined,
        meanwhile: (page: Page) => Promise<void>
      ) => {
        const url = await app.client.authorize(mia.handle, prompt === undefined ? {} : { prompt })
        const { params } = await travel(context, url, app, meanwhile)
        return (await app.client.callback(params)).session
      }
      const box = (page: Page, name: string) => page.getByRole("checkbox", { name })
      const session = await letIn(undefined, async (page) => {
        await arrive(page, "Allow this app")
        await look(page, "consent-granular", scripts)
        for (const name of ["like", "Change your handle", "email"]) await box(page, name).uncheck()
        await allow(page)
      })
      assert.strictEqual(
        (await session.getTokenInfo(false)).scope,
        "atproto repo:app.bsky.feed.post blob:image/*"
      )
      const agent = new Agent(session)
      const { uri, cid } = await agent.post({ text: "allowed" })
      assert.strictEqual(await failure(agent.like(uri, cid)), "ScopeMissingError")
      assert.notProperty((await agent.com.atproto.server.getSession()).data, "email")

      const again = await letIn(undefined, async () => undefined)
      assert.notInclude((await again.getTokenInfo(false)).scope, "like")
      await letIn("consent", async (page) => {
        await arrive(page, "Allow this app")
        assert.isFalse(await box(page, "like").isChecked())
        assert.isTrue(await box(page, "posts").isChecked())
        await box(page, "like").check()
        await allow(page)
      }).then((session) =>
        session.getTokenInfo(false).then(({ scope }) => assert.include(scope, "like"))
      )
      await open("/account/apps")
      await look(page, "account-apps-connected", scripts)
    })
  })
}
