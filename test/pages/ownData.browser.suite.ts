import { assert, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { arrive, look, signInHere, signInUnseen } from "../support/browser/browser.ts"
import type { BrowserWorld } from "../support/browser/world.ts"
import { png } from "../support/server/serverPeople.ts"

const posts = "app.bsky.feed.post"

/** How people look through their own records and files. */
export const ownDataSuite = (world: () => BrowserWorld) => {
  const link = (page: Page, name: string) => page.getByRole("link", { name }).first().click()

  const filled = async (name: string) => {
    const person = await world().person(name)
    const { agent } = person
    const picture = async (text: string) =>
      (await agent.uploadBlob(png(text), { encoding: "image/png" })).data.blob
    await agent.post({
      text: "Good morning from the garden.\nThe first tomatoes are ripe.",
      embed: {
        $type: "app.bsky.embed.images",
        images: [{ image: await picture("tomatoes"), alt: "Three red tomatoes on a wooden table" }]
      }
    })
    await agent.post({ text: "A second thought" })
    await agent.follow(person.did)
    await picture("never used")
    return person
  }

  describe("a user with posts and pictures", () => {
    it("a user reads a post, its picture and its JSON, deletes it, and deletes an unused upload", async () => {
      const dana = await filled("dana")
      const context = await world().visitor()
      await signInUnseen(context, world().server.publicUrl, dana)
      const page = await context.newPage()
      await page.goto(`${world().server.publicUrl}/account/settings`)
      await arrive(page, "Settings")
      await link(page, "Your data")
      await arrive(page, "Your data")
      await look(page, "account-data")
      await link(page, "Posts")
      await arrive(page, "Posts")
      await look(page, "account-data-records")
      await link(page, "Good morning")
      await arrive(page, "Record")
      const picture = page.getByAltText("Three red tomatoes")
      await picture.scrollIntoViewIfNeeded()
      // Not by waitForFunction: its second look at a text would break the page's policy.
      await page.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
      await look(page, "account-data-record")
      await page.getByRole("button", { name: "Delete" }).click()
      await arrive(page, "Delete this record?")
      await look(page, "account-data-delete")
      await page.getByRole("button", { name: "Delete record" }).click()
      await page.getByText("Deleted.").waitFor()
      const { data } = await dana.agent.com.atproto.repo.listRecords({
        repo: dana.did,
        collection: posts
      })
      assert.deepStrictEqual(
        data.records.map(({ value }) => value["text"]),
        ["A second thought"]
      )
      await link(page, "All your data")
      await link(page, "Pictures and files")
      await arrive(page, "Pictures and files")
      await look(page, "account-data-files")
      // The picture of the deleted post is kept for a minute.
      const unused = page.getByRole("listitem").filter({ hasText: "image/png, 80 bytes" })
      await unused.getByRole("checkbox").check()
      await page.getByRole("button", { name: "Delete selected" }).click()
      await arrive(page, "Delete this unused file?")
      await look(page, "account-data-discard")
      await page.getByRole("button", { name: "Delete file" }).click()
      await page.getByText("Deleted.").waitFor()
      assert.strictEqual(await page.getByRole("checkbox").count(), 1)
      await page.getByRole("listitem").getByRole("link").first().click()
      await arrive(page, "File")
      await look(page, "account-data-file")
      await world().forget(context)
    })

    it("a user without JavaScript finds posts by key, selects and deletes them", async () => {
      const dora = await filled("dorothea")
      const context = await world().visitor({ javaScriptEnabled: false })
      const page = await context.newPage()
      await page.goto(`${world().server.publicUrl}/account/data/records?collection=${posts}`)
      await signInHere(page, dora)
      // A sign-in continues to the page, not to its query.
      await arrive(page, "Your data")
      await link(page, "Posts")
      await page.getByLabel("Key").fill("none")
      await page.getByRole("button", { name: "Search" }).click()
      await page.getByText("Nothing found.").waitFor()
      await link(page, "Show all")
      await page.getByRole("checkbox").first().check()
      await page.getByRole("checkbox").last().check()
      await page.getByRole("button", { name: "Delete selected" }).click()
      await arrive(page, "Delete 2 records?")
      await page.getByRole("button", { name: "Delete 2 records" }).click()
      await page.getByText("Deleted.").waitFor()
      const { data } = await dora.agent.com.atproto.repo.listRecords({
        repo: dora.did,
        collection: posts
      })
      assert.strictEqual(data.records.length, 0)
      await world().forget(context)
    })
  })
}
