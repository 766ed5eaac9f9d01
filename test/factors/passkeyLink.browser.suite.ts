import { assert, beforeAll, describe, it } from "@effect/vitest"
import type { BrowserContext, Page } from "playwright-core"
import { type Desk, makeDesk } from "../cli/command.ts"
import { arrive, look } from "../support/browser/browser.ts"
import type { Person } from "../support/server/serverPeople.ts"
import { plugIn } from "./factors.browser.suite.ts"
import type { BrowserWorld } from "../support/browser/world.ts"

/** The command on one machine, and a phone that opens its link. */
export const passkeyLinkSuite = (world: () => BrowserWorld) => {
  describe("a passkey from the command line", () => {
    let frida: Person
    let desk: Desk
    let phone: BrowserContext
    let page: Page
    let credentials: Awaited<ReturnType<typeof plugIn>>["credentials"]

    beforeAll(async () => {
      frida = await world().person("frida")
      desk = makeDesk(world().server)
      phone = await world().visitor()
      page = await phone.newPage()
      ;({ credentials } = await plugIn(page))
      return async () => {
        desk.remove()
        await world().forget(phone)
      }
    })

    const click = (name: string) => page.getByRole("button", { name, exact: true }).click()
    const passkey = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
      desk.run(["passkey", ...args, "--account", frida.handle], env)
    const asOwner = () => ({ NACRE_PASSWORD: frida.password })

    it("a user adds a passkey on a phone with a link and a QR code, and signs in there", async () => {
      const shown = await passkey(["add"], asOwner())
      assert.strictEqual(shown.code, 0, shown.stderr)
      const url = /Open +(\S+)/.exec(shown.stdout)?.[1] ?? ""
      assert.match(url, /^http:\/\/localhost:\d+\/passkey#[\w-]{22}\.did:plc:/)
      assert.match(shown.stdout, /█▀|▄█/)
      assert.isTrue(
        shown.stdout.split("\n").every((line) => line.length <= 80 || line.includes(url))
      )
      await page.goto(url)
      await page.getByText("Is it yours?").waitFor()
      await page.getByText(frida.handle, { exact: true }).waitFor()
      assert.notInclude(page.url(), "#")
      await look(page, "passkey-link")
      await page.getByLabel("Name").fill("Frida's phone")
      await click("Add passkey")
      await arrive(page, "Passkey added")
      await look(page, "passkey-link-added")
      assert.lengthOf(await credentials(), 1)
      await page.getByRole("link", { name: "Sign in" }).click()
      await click("Sign in with a passkey")
      await arrive(page, "Your account")

      await page.goto(url)
      await arrive(page, "This link has expired")
      await look(page, "passkey-link-over")
      await page.goto(url.split("#")[0] ?? "")
      await page.getByText("Open the link from the message again").waitFor()
      await look(page, "passkey-link-none")
    })

    it("the owner lists the passkey and removes it by name, after which it can't sign in", async () => {
      const listed = await passkey(["list", "--json"], asOwner())
      assert.deepStrictEqual(
        listed.json["passkeys"].map(({ name }: Record<string, string>) => name),
        ["Frida's phone"]
      )
      const words = await passkey(["list"], asOwner())
      assert.match(words.stdout, /NAME +ADDED +LAST USED +ID\nFrida's phone/)
      const unknown = await passkey(["remove", "Laptop", "--yes"], asOwner())
      assert.strictEqual(unknown.code, 1)
      assert.match(unknown.stderr, /has no passkey “Laptop”[\s\S]*nacre passkey list/)
      const removed = await passkey(["remove", "Frida's phone", "--yes"], asOwner())
      assert.strictEqual(removed.code, 0, removed.stderr)
      const none = await passkey(["list"], asOwner())
      assert.match(none.stdout, /has no passkeys. Add one: npx nacre passkey add/)
      await page.goto(`${world().server.publicUrl}/account`)
      await click("Sign out")
      await click("Sign in with a passkey")
      await page.getByRole("alert").waitFor()
    })

    it("the administrator creates a link, with JSON output only, and it adds a passkey", async () => {
      const { code, json, stderr } = await passkey(["add", "--json"])
      assert.strictEqual(code, 0, stderr)
      assert.deepInclude(json, { did: frida.did, handle: frida.handle })
      assert.isAtMost(Date.parse(json["expiresAt"]) - Date.now(), 15 * 60_000)
      assert.notInclude(stderr, json["url"])
      await page.goto(json["url"])
      await page.getByLabel("Name").fill("By the administrator")
      await click("Add passkey")
      await arrive(page, "Passkey added")
      const { stdout } = await passkey(["list"])
      assert.include(stdout, "By the administrator")
    })
  })
}
