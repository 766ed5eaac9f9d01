import { AtpAgent } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Browser, Page } from "playwright-core"
import { png } from "../support/server/serverPeople.ts"
import { arrive as open, newVisitor, signInHere, startBrowser } from "../support/browser/browser.ts"
import { switchOver, transfer } from "./moveByClient.ts"
import {
  assertImages,
  logOf,
  type Mover,
  newMover,
  plcOf,
  preferencesOf,
  recordsOf,
  startPagesWorld,
  type World
} from "./world.ts"

const newPassword = "another password"

const click = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click()

/** Each kill starts the server again. */
const patience = { timeout: 900_000 }

describe("an account moved by the pages, without JavaScript", () => {
  let world: World
  let browser: Browser
  beforeAll(async () => {
    world = await startPagesWorld()
    browser = await startBrowser()
  }, patience.timeout)
  afterAll(async () => {
    await browser?.close()
    await world?.stop()
  })

  const tab = async () => (await newVisitor(browser, { javaScriptEnabled: false })).newPage()

  /** Runs a submission during which the server is killed while a peer holds an answer. */
  const killedAt = async (
    page: Page,
    peer: World["old"] | World["plc"],
    text: string,
    submit: () => Promise<void>
  ) => {
    const { arrived, release } = peer.hold(text)
    const submitted = submit().catch(() => undefined)
    await arrived
    await world.nacre.crash()
    release()
    await submitted
    await page.context().close()
  }

  const begin = async (page: Page, { did, name, email, password }: Mover) => {
    await page.goto(`${world.nacre.publicUrl}/move-in`)
    await open(page, "Move your account here")
    await page.getByLabel("Handle", { exact: true }).fill(did)
    await page.getByLabel("Password at your old server").fill(password)
    await page.getByLabel("Handle here").fill(name)
    await page.getByLabel("Email").fill(email)
    await page.getByLabel("New password for this server").fill(newPassword)
    await click(page, "Begin the move")
  }

  /** Signs in in a new browser, and opens the move. */
  const resumed = async ({ did }: Mover) => {
    const page = await tab()
    await page.goto(`${world.nacre.publicUrl}/account/moving`)
    await signInHere(page, { handle: did, password: newPassword })
    await open(page, "Moving your account")
    return page
  }

  const press = (page: Page) => page.locator('form[action="/account/moving/step"] button').click()

  const step = async (page: Page) => {
    const loaded = page.waitForEvent("load")
    await press(page)
    await loaded
  }

  const next = (page: Page) =>
    page
      .locator("ol.list li", { has: page.getByText("next", { exact: true }) })
      .locator("strong")
      .innerText()

  const stepsUntil = async (page: Page, title: string) => {
    while ((await next(page)) !== title) await step(page)
  }

  const codeOf = async (page: Page, { email }: Mover) => {
    const before = world.old.mails.length
    await click(page, "Ask the old server for a code")
    await page.getByText("has sent you a code").waitFor()
    return world.old.code(email, before)
  }

  const confirm = async (page: Page, code: string) => {
    await page.getByLabel("Code from your old server").fill(code)
    await click(page, "Move my account")
  }

  const assertArrived = async (mover: Mover, before: ReadonlyMap<string, string>, set: unknown) => {
    const { did, agent: there } = mover
    const here = new AtpAgent({ service: world.nacre.publicUrl })
    await here.login({ identifier: did, password: newPassword })
    assert.deepStrictEqual(await recordsOf(world, here, did), before)
    await assertImages(here, mover)
    const { data: status } = await here.com.atproto.server.checkAccountStatus()
    assert.deepInclude(status, {
      activated: true,
      validDid: true,
      expectedBlobs: 3,
      importedBlobs: 3
    })
    const { data } = await here.app.bsky.actor.getPreferences()
    assert.sameDeepMembers(data.preferences, set as typeof data.preferences)
    const plc = await plcOf(world, did)
    assert.strictEqual(plc.services["atproto_pds"]?.endpoint, world.nacre.publicUrl)
    assert.deepStrictEqual(plc.alsoKnownAs, [`at://${mover.name}.new.test`])
    assert.strictEqual((await logOf(world, did)).length, 2)
    const { data: left } = await there.com.atproto.sync.getRepoStatus({ did })
    assert.deepInclude(left, { active: false, status: "deactivated" })
    return here
  }

  it(
    "an account moves in by the reference’s own sign-in, without its password here",
    patience,
    async () => {
      const mover = await newMover(world, "oda")
      const { did, agent } = mover
      const before = await recordsOf(world, agent, did)
      const page = await (await newVisitor(browser)).newPage()
      await page.goto(`${world.nacre.publicUrl}/move-in`)
      await open(page, "Move your account here")
      await page.getByLabel("Handle", { exact: true }).fill(did)
      await page.getByLabel("Handle here").fill(mover.name)
      await page.getByLabel("Email").fill(mover.email)
      await click(page, "Sign in at your old server instead")
      // The reference refuses links from the same site, as all names on this machine are.
      const there = await page.getByRole("link", { name: "Continue to" }).getAttribute("href")
      await page.goto(there ?? "")
      await page.locator('input[type="password"]').fill(mover.password)
      await click(page, "Sign in")
      await click(page, "Authorize")
      // The loopback address of a local client isn't the server's name.
      await page
        .getByRole("link", { name: /localhost/ })
        .first()
        .click()
      await page.getByText("You’re signed in at").waitFor()
      await page.getByLabel("New password for this server").fill(newPassword)
      await click(page, "Begin the move")
      await open(page, "Moving your account")
      await stepsUntil(page, "Point your identity here")
      await confirm(page, await codeOf(page, mover))
      await open(page, "Welcome!")
      await page.getByText("We couldn’t deactivate your old account").waitFor()
      await page.context().close()
      await agent.com.atproto.server.deactivateAccount({})
      // Without the password the reference keeps the birth date to itself.
      const set = preferencesOf("oda").filter(({ $type }) => !$type.endsWith("personalDetailsPref"))
      await assertArrived(mover, before, set)
    }
  )

  it(
    "an account moves away by the token and the code of its page, which says afterwards where it lives",
    patience,
    async () => {
      const { nacre, old } = world
      const here = new AtpAgent({ service: nacre.publicUrl })
      const account = { email: "away@example.com", password: newPassword }
      await here.createAccount({ ...account, handle: "away.new.test" })
      const did = here.assertDid as `did:plc:${string}`
      const bytes = png("away")
      const { data: uploaded } = await here.uploadBlob(bytes, { encoding: "image/png" })
      await here.post({
        text: "with a picture",
        embed: { $type: "app.bsky.embed.images", images: [{ image: uploaded.blob, alt: "" }] }
      })
      await here.app.bsky.actor.putPreferences({ preferences: [...preferencesOf("away")] })
      const before = await recordsOf(world, here, did)

      const page = await tab()
      await page.goto(`${nacre.publicUrl}/account/move`)
      await signInHere(page, { handle: did, password: newPassword })
      await open(page, "Move to another server")
      await page.getByLabel("Address of the new server").fill(old.publicUrl)
      await click(page, "Create a token")
      await open(page, "Your token")
      const token = await page.locator(".secret code").innerText()
      const there = new AtpAgent({ service: old.publicUrl })
      await there.com.atproto.server.createAccount(
        { ...account, handle: "away.old.test", did },
        { headers: { authorization: `Bearer ${token}` }, encoding: "application/json" }
      )
      await there.login({ identifier: did, password: newPassword })
      await transfer(here, there)
      await page.getByRole("link", { name: "Back to the steps" }).click()
      await click(page, "Create a code")
      const code = await page.locator("code", { hasText: /^[A-Z2-7]{5}-[A-Z2-7]{5}$/ }).innerText()
      await switchOver({ agent: here, code: () => Promise.resolve(code) }, there)

      await page.goto(`${nacre.publicUrl}/account/move`)
      await open(page, "Your account has moved")
      await page.getByText(new URL(old.publicUrl).host, { exact: true }).waitFor()
      await page.context().close()
      const plc = await plcOf(world, did)
      assert.strictEqual(plc.services["atproto_pds"]?.endpoint, old.publicUrl)
      await assertImages(there, { did, images: [{ cid: uploaded.blob.ref.toString(), bytes }] })
      const { data } = await there.app.bsky.actor.getPreferences()
      assert.includeDeepMembers(data.preferences, [...preferencesOf("away")])
      const { data: status } = await here.com.atproto.sync.getRepoStatus({ did })
      assert.deepInclude(status, { active: false, status: "deactivated" })
      // It works there: the reference signs the next write with its own key.
      const { uri, cid } = await there.post({ text: "written at the new place" })
      const path = uri.split("/").slice(3).join("/")
      assert.deepStrictEqual(await recordsOf(world, there, did), new Map([...before, [path, cid]]))
    }
  )

  it(
    "an account moves in with records, pictures and preferences although the server was killed in the middle of each step and the tab closed",
    patience,
    async () => {
      const mover = await newMover(world, "petra")
      const { did, agent: there } = mover
      const before = await recordsOf(world, there, did)
      const { data: set } = await there.app.bsky.actor.getPreferences()
      assert.includeDeepMembers(set.preferences, [...preferencesOf("petra")])

      let page = await tab()
      await killedAt(page, world.old, "getServiceAuth", () => begin(page, mover))
      page = await tab()
      await begin(page, mover)
      await open(page, "Moving your account")
      for (const [title, method] of [
        ["Copy posts, likes and follows", "sync.getRepo"],
        ["Copy pictures and videos", "sync.getBlob"],
        ["Copy app settings", "getPreferences"]
      ] as const) {
        await stepsUntil(page, title)
        await killedAt(page, world.old, method, () => press(page))
        page = await resumed(mover)
        assert.strictEqual(await next(page), title)
      }
      await stepsUntil(page, "Point your identity here")
      // The old server has signed, and its code is used up, but nobody has submitted the operation.
      const first = await codeOf(page, mover)
      await killedAt(page, world.old, "signPlcOperation", () => confirm(page, first))
      assert.strictEqual((await logOf(world, did)).length, 1)
      page = await resumed(mover)
      await confirm(page, first)
      await page.getByText("rejected the code").waitFor()
      // The directory takes the operation, but nobody hears of it.
      const second = await codeOf(page, mover)
      await killedAt(page, world.plc, "POST /did", () => confirm(page, second))
      page = await resumed(mover)
      assert.strictEqual(await next(page), "Activate your account here")
      await killedAt(page, world.old, "deactivateAccount", () => press(page))
      page = await resumed(mover)
      await press(page)
      await open(page, "Welcome!")
      await assertArrived(mover, before, set.preferences)
      await page.context().close()
    }
  )
})
