import { AtpAgent } from "@atproto/api"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { arrive, look, signInUnseen } from "../../support/browser/browser.ts"
import type { BrowserWorld } from "../../support/browser/world.ts"
import type { TestServer } from "../../support/server/server.ts"
import { adminOf, png } from "../../support/server/serverPeople.ts"

const oldPassword = "the old password of olga"

/** How people bring an account from another server, and read how they would take one away. */
export const moveInSuite = (world: () => BrowserWorld) => {
  const press = async (page: Page, name: string) => {
    const loaded = page.waitForEvent("load")
    await page.getByRole("button", { name, exact: true }).click()
    await loaded
  }

  const invite = async () => {
    const { server } = world()
    const agent = new AtpAgent({ service: server.publicUrl })
    const { data } = await agent.com.atproto.server.createInviteCode(
      { useCount: 1 },
      { ...adminOf(server), encoding: "application/json" }
    )
    return data.code
  }

  /** An account at the old server with pictures, of which it loses one. */
  const publishOld = async (old: TestServer) => {
    const agent = new AtpAgent({ service: old.publicUrl })
    const email = "olga@example.com"
    await agent.createAccount({ handle: "olga.old.test", email, password: oldPassword })
    const pictures = ["roses", "tulips"].map((text) =>
      agent.uploadBlob(png(text), { encoding: "image/png" })
    )
    const [one, two] = (await Promise.all(pictures)).map(({ data }) => data.blob)
    const images = [one!, two!].map((image) => ({ image, alt: "flowers" }))
    await agent.post({ text: "Flowers", embed: { $type: "app.bsky.embed.images", images } })
    const did = agent.assertDid
    await agent.com.atproto.admin.updateSubjectStatus(
      {
        subject: {
          $type: "com.atproto.admin.defs#repoBlobRef",
          did,
          cid: two!.ref.toString()
        },
        takedown: { applied: true }
      },
      { ...adminOf(old), encoding: "application/json" }
    )
    return { did, email, agent, lost: two!.ref.toString() }
  }

  const codeAt = async (old: TestServer, did: string) => {
    const url = `${old.url}/admin/codes?account=${encodeURIComponent(did)}`
    const answer = await fetch(url, adminOf(old))
    const { codes } = (await answer.json()) as { codes: ReadonlyArray<{ readonly code: string }> }
    return codes.at(-1)!.code
  }

  describe("a user with an account on another server", () => {
    let old: TestServer
    beforeAll(() => {
      old = world().old
    })

    it("a user without JavaScript moves in on a phone, reads what goes wrong, and continues in another browser", async () => {
      const { server } = world()
      const code = await invite()
      const { did, email, agent, lost } = await publishOld(old)
      const phone = { viewport: { width: 375, height: 780 } }
      const plain = await world().visitor({ javaScriptEnabled: false, ...phone })
      let page = await plain.newPage()
      const see = (name: string) => look(page, name, { scripts: false })
      const fits = async () =>
        assert.isAtMost((await page.locator("html").boundingBox())?.width ?? 0, 375)
      await page.goto(`${server.publicUrl}/move-in?invite=${code}`)
      await arrive(page, "Move your account here")
      assert.strictEqual(await page.getByLabel("Invite code").inputValue(), code)
      await fits()
      const fill = async (identifier: string, password: string) => {
        await page.getByLabel("Handle", { exact: true }).fill(identifier)
        await page.getByLabel("Password at your old server").fill(password)
        await page.getByLabel("Handle here").fill("olga")
        await page.getByLabel("Email").fill(email)
        await page.getByLabel("New password for this server").fill("the password of olga")
        await press(page, "Begin the move")
      }
      await fill(did, "a wrong password")
      await page.getByText("Wrong handle or password at your old server").first().waitFor()
      await see("account-move-in-wrong")
      await fill(server.account.did, oldPassword)
      await page.getByText("This account is already on this server.").first().waitFor()
      await fill(did, oldPassword)
      await arrive(page, "Moving your account")
      await see("account-moving-begin")
      await press(page, "Copy")
      await see("account-moving-blobs")
      await world().forget(plain)

      const context = await world().visitor({ javaScriptEnabled: false, ...phone })
      const olga = { handle: "olga.test", password: "the password of olga" }
      await signInUnseen(context, server.publicUrl, olga)
      page = await context.newPage()
      await page.goto(`${server.publicUrl}/account`)
      await arrive(page, "Your account")
      await see("account-arriving")
      await page.getByRole("link", { name: "Continue the move" }).click()
      await arrive(page, "Moving your account")
      await press(page, "Continue")
      await page.getByText("couldn’t be copied").waitFor()
      await page.getByRole("link", { name: lost }).waitFor()
      await press(page, "Continue")
      await page.getByText("sends you a code to confirm the move").waitFor()
      await fits()
      await see("account-moving-code")
      await press(page, "Try these again")
      await page.getByText("couldn’t be copied").waitFor()
      await press(page, "Ask the old server for a code")
      await page.getByText("has sent you a code").waitFor()
      await see("account-moving-code-sent")
      const confirm = async (typed: string) => {
        await page.getByLabel("Code from your old server").fill(typed)
        await press(page, "Move my account")
      }
      await confirm("AAAAA-AAAAA")
      await page.getByText("rejected the code").first().waitFor()
      await see("account-moving-code-wrong")
      await confirm(await codeAt(old, did))
      await arrive(page, "Welcome!")
      await fits()
      await see("account-moved-in")
      await page.goto(`${server.publicUrl}/account/moving`)
      await page.getByText("There is no move to finish.").waitFor()
      await world().forget(context)
      const { data } = await agent.com.atproto.sync.getRepoStatus({ did })
      assert.strictEqual(data.status, "deactivated")
      const here = new AtpAgent({ service: server.publicUrl })
      await here.login({ identifier: did, password: "the password of olga" })
      const { data: status } = await here.com.atproto.server.checkAccountStatus()
      assert.deepInclude(status, { activated: true, validDid: true, importedBlobs: 1 })
    })

    it("the pages of a move have no fault that axe finds", async () => {
      const { server } = world()
      const context = await world().visitor()
      const page = await context.newPage()
      await page.goto(`${server.publicUrl}/move-in?invite=${await invite()}`)
      await arrive(page, "Move your account here")
      await look(page, "account-move-in")
      const agent = new AtpAgent({ service: old.publicUrl })
      const email = "otto@example.com"
      await agent.createAccount({ handle: "otto.old.test", email, password: oldPassword })
      await page.getByLabel("Handle", { exact: true }).fill(agent.assertDid)
      await page.getByLabel("Password at your old server").fill(oldPassword)
      await page.getByLabel("Handle here").fill("otto")
      await page.getByLabel("Email").fill(email)
      await page.getByLabel("New password for this server").fill("the password of otto")
      await press(page, "Begin the move")
      await arrive(page, "Moving your account")
      await look(page, "account-moving")
      await press(page, "Copy")
      await press(page, "Continue")
      await page.getByText("sends you a code to confirm the move").waitFor()
      await look(page, "account-moving-confirm")
      await press(page, "Ask the old server for a code")
      await page.getByLabel("Code from your old server").fill(await codeAt(old, agent.assertDid))
      await press(page, "Move my account")
      await arrive(page, "Welcome!")
      await look(page, "account-moved-in-welcome")
      await page.getByRole("link", { name: "Recovery key" }).click()
      await arrive(page, "Recovery key")
      await world().forget(context)
    })

    it("a user reads how to move away, and creates a token and a code", async () => {
      const mona = await world().person("mona")
      const context = await world().visitor()
      await signInUnseen(context, world().server.publicUrl, mona)
      const page = await context.newPage()
      await page.goto(`${world().server.publicUrl}/account/move`)
      await arrive(page, "Move to another server")
      await look(page, "account-move")
      await page.getByLabel("Address of the new server").fill("10.0.0.1")
      await press(page, "Create a token")
      await page.getByText("Enter the address of another server").first().waitFor()
      await look(page, "account-move-wrong")
      await page.getByLabel("Address of the new server").fill("pds.example.org")
      await press(page, "Create a token")
      await arrive(page, "Your token")
      await look(page, "account-move-token")
      await page.getByRole("link", { name: "Back to the steps" }).click()
      await arrive(page, "Move to another server")
      await press(page, "Send a code to mona@example.com")
      await look(page, "account-move-code")
      const code = await world().mailbox.code("mona@example.com", "Change your identity")
      assert.lengthOf(code, 11)
      await world().forget(context)
    })
  })
}
