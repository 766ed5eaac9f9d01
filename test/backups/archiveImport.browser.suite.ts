import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { AtpAgent } from "@atproto/api"
import { assert, describe, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { arrive, look, signInUnseen } from "../support/browser/browser.ts"
import type { BrowserWorld } from "../support/browser/world.ts"
import type { TestServer } from "../support/server/server.ts"
import { startFragile } from "../support/server/serverMemory.ts"
import { adminOf, type Person, png, signUp } from "../support/server/serverPeople.ts"
import { filesIn, zipOf } from "../support/zipFiles.ts"

const preferences = [{ $type: "app.bsky.actor.defs#adultContentPref", enabled: true }]

/** Creates the account on another server, where it waits for its data. */
const arriveAt = async (server: TestServer, { agent, did, handle }: Person): Promise<Person> => {
  const there = new AtpAgent({ service: server.publicUrl })
  const { data: description } = await there.com.atproto.server.describeServer()
  const lxm = "com.atproto.server.createAccount"
  const { data: auth } = await agent.com.atproto.server.getServiceAuth({
    aud: description.did,
    lxm
  })
  const invite = await there.com.atproto.server.createInviteCode(
    { useCount: 1 },
    { ...adminOf(server), encoding: "application/json" }
  )
  const password = `the new password of ${handle}`
  const { data } = await there.com.atproto.server.createAccount(
    { did, handle, email: `${handle}@example.com`, password, inviteCode: invite.data.code },
    { headers: { authorization: `Bearer ${auth.token}` }, encoding: "application/json" }
  )
  await there.resumeSession({ ...data, active: false })
  return { agent: there, did, handle, password }
}

/** How people put a downloaded archive into an account that waits for it. */
export const archiveImportSuite = (world: () => BrowserWorld) => {
  const filled = async (old: TestServer, name: string) => {
    const person = await signUp(old, name)
    const { agent } = person
    for (let at = 0; at < 6; at++) {
      const { data } = await agent.uploadBlob(png(`${name} ${at}`), { encoding: "image/png" })
      const embed = { $type: "app.bsky.embed.images", images: [{ image: data.blob, alt: "" }] }
      await agent.post({ text: `Post ${at}`, embed })
    }
    await agent.app.bsky.actor.putPreferences({ preferences })
    return person
  }

  /** Downloads the archive by the page of the old server. */
  const archiveOf = async (page: Page, old: TestServer, person: Person, file: string) => {
    await signInUnseen(page.context(), old.publicUrl, person)
    await page.goto(`${old.publicUrl}/account/export`)
    await arrive(page, "Download your data")
    const saving = page.waitForEvent("download")
    await page.getByRole("link", { name: "Download everything" }).click()
    await (await saving).saveAs(file)
  }

  const choose = async (page: Page, ...files: ReadonlyArray<string>) => {
    await page.getByLabel("Archive", { exact: true }).setInputFiles([...files])
    await page.getByRole("button", { name: "Import", exact: true }).click()
  }

  const sizesOf = async ({ agent, did }: Person, path: string) => {
    const { data } = await agent.com.atproto.repo.listRecords({
      repo: did,
      collection: "app.bsky.feed.post"
    })
    const { data: blobs } = await agent.com.atproto.sync.listBlobs({ did })
    const { data: kept } = await agent.app.bsky.actor.getPreferences()
    const posts = data.records.map(({ uri, cid, value }) => [uri, cid, value["text"]])
    return { [path]: { posts, blobs: blobs.cids.toSorted(), preferences: kept.preferences } }
  }

  describe("a user with an archive", () => {
    it("a user imports the downloaded archive into a waiting account, also after an interruption", async () => {
      const { server } = world()
      const old = await startFragile({
        PLC_URL: server.plcUrl,
        DEV_ALLOW_HOSTS: new URL(server.plcUrl).host,
        PLC_ROTATION_KEY: "44".repeat(32)
      })
      const folder = mkdtempSync(join(tmpdir(), "nacre-archive-"))
      try {
        const before = await filled(old, "irene")
        const file = join(folder, "irene.zip")
        const context = await world().visitor()
        const page = await context.newPage()
        await archiveOf(page, old, before, file)
        const after = await arriveAt(server, before)
        const [foreign, odd] = [join(folder, "foreign.zip"), join(folder, "odd.zip")]
        const files = Object.fromEntries(filesIn(readFileSync(file)))
        const manifest = JSON.parse(String(files["manifest.json"]))
        const other = JSON.stringify({ ...manifest, did: "did:web:elsewhere.example.com" })
        writeFileSync(foreign, zipOf({ ...files, "manifest.json": other }))
        writeFileSync(odd, zipOf({ ...files, "../.profile": "x" }))
        const cut = join(folder, "cut.zip")
        writeFileSync(cut, readFileSync(file).subarray(0, -100))

        await signInUnseen(context, server.publicUrl, after)
        await page.goto(`${server.publicUrl}/account/import`)
        await arrive(page, "Import an archive")
        await look(page, "account-import")
        const sent: Array<string> = []
        page.on("request", (request) => {
          const [, path] = /\/account\/import\/([a-z]+)/.exec(request.url()) ?? []
          if (path !== undefined) sent.push(path)
        })
        await choose(page, foreign)
        await page.getByText("foreign.zip is an archive of another account").waitFor()
        await look(page, "account-import-refused")
        await choose(page, odd)
        await page.getByText("odd.zip contains “../.profile”").waitFor()
        await choose(page, cut)
        await page.getByText("cut.zip is incomplete").waitFor()
        assert.deepStrictEqual(sent, [])

        // The tab closes when the third picture is on its way.
        let pictures = 0
        const third = new Promise<void>((reached) => {
          void page.route("**/account/import/blob*", async (route) => {
            pictures++
            if (pictures < 3) return route.continue()
            if (pictures === 3) reached()
            // It never arrives.
          })
        })
        await choose(page, file)
        await third
        await look(page, "account-import-running")
        await page.close({ runBeforeUnload: false })
        assert.strictEqual(sent.filter((path) => path === "records").length, 1)

        const again = await context.newPage()
        await again.goto(`${server.publicUrl}/account`)
        await again.getByText("isn’t active here yet").waitFor()
        await again.goto(`${server.publicUrl}/account/import`)
        const resumed: Array<string> = []
        again.on("request", (request) => {
          const [, path] = /\/account\/import\/([a-z]+)/.exec(request.url()) ?? []
          if (path !== undefined) resumed.push(path)
        })
        // A connection that breaks off once.
        let isBroken = false
        await again.route("**/account/import/blob*", (route) => {
          const breaks = !isBroken
          isBroken = true
          return breaks ? route.abort() : route.continue()
        })
        await choose(again, file)
        await again.getByRole("heading", { name: "Imported" }).waitFor()
        await again.getByText("6 of 6", { exact: true }).waitFor()
        await look(again, "account-import-done")
        assert.notInclude(resumed, "records")
        assert.isBelow(resumed.filter((path) => path === "blob").length, 7)
        assert.deepStrictEqual(await sizesOf(after, "all"), await sizesOf(before, "all"))
        await again.getByRole("link", { name: "Continue the move" }).click()
        await arrive(again, "Moving your account")
        await look(again, "account-moving-elsewhere")
        await world().forget(context)
      } finally {
        rmSync(folder, { recursive: true })
        await old.stop()
      }
    })

    it("a user without JavaScript reads that an import needs it", async () => {
      const person = await world().person("isidor")
      await person.agent.com.atproto.server.deactivateAccount({})
      const context = await world().visitor({ javaScriptEnabled: false })
      await signInUnseen(context, world().server.publicUrl, person)
      const page = await context.newPage()
      await page.goto(`${world().server.publicUrl}/account/import`)
      await arrive(page, "Import an archive")
      await page.locator("noscript .note", { hasText: "needs JavaScript" }).waitFor()
      assert.strictEqual(await page.getByLabel("Archive", { exact: true }).isVisible(), false)
      await look(page, "account-import-plain", { scripts: false })
      await world().forget(context)
    })
  })
}
