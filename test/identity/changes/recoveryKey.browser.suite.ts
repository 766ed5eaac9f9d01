import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Page } from "playwright-core"
import { readRecoveryKey } from "../../../src/cli/recoveryKey.ts"
import { formatDidKey, generatePrivateKey, publicKeyOf } from "../../../src/core/identity/didKey.ts"
import { arrive, look, signInUnseen } from "../../support/browser/browser.ts"
import type { BrowserWorld } from "../../support/browser/world.ts"
import { plugIn } from "../../factors/factors.browser.suite.ts"

const read = (file: string) =>
  Effect.runPromise(Effect.provide(readRecoveryKey(file), NodeFileSystem.layer))

/** How people make and keep the key that recovers their account. */
export const recoveryKeySuite = (world: () => BrowserWorld) => {
  const click = (page: Page, name: string) =>
    page.getByRole("button", { name, exact: true }).click()
  const link = (page: Page, name: string) => page.getByRole("link", { name, exact: true }).click()
  const keysOf = async (did: string) => {
    const data = await (await fetch(`${world().server.plcUrl}/${did}/data`)).json()
    return (data as { readonly rotationKeys: ReadonlyArray<string> }).rotationKeys
  }

  /** Sends the code of a change, and enters it. */
  const enterCode = async (page: Page, handle: string, count = 1) => {
    const address = `${handle.split(".")[0]}@example.com`
    await click(page, `Send a code to ${address}`)
    await page.getByText("We sent you a code.").waitFor()
    const code = await world().mailbox.code(address, "Change your identity", count)
    await page.getByLabel("Code").fill(code)
  }

  describe("a user with a recovery key", () => {
    it("a user with a passkey makes a key in the browser, keeps it as a file and on paper, and the command reads the file", async () => {
      const rita = await world().person("rita")
      const context = await world().visitor()
      await signInUnseen(context, world().server.publicUrl, rita)
      const page = await context.newPage()
      const [server = ""] = await keysOf(rita.did)
      await plugIn(page)
      await page.goto(`${world().server.publicUrl}/account/passkey`)
      await click(page, "Add passkey")
      await page.getByText("Passkey added.").waitFor()
      await click(page, "Sign out")
      await arrive(page, "Sign in")
      await page.goto(`${world().server.publicUrl}/account/keys`)
      await click(page, "Sign in with a passkey")
      await arrive(page, "Recovery key")
      await page.getByText("You have no recovery key").waitFor()
      await look(page, "account-keys")
      await link(page, "Create a recovery key")
      await arrive(page, "Create a recovery key")
      await look(page, "account-recovery-key")
      const sent: Array<string> = []
      page.on("request", (request) => sent.push(`${request.url()} ${request.postData() ?? ""}`))
      await click(page, "Create a key")
      const saving = page.waitForEvent("download")
      await link(page, "Save as a file")
      const folder = mkdtempSync(join(tmpdir(), "nacre-key-"))
      const file = join(folder, "rita.json")
      await (await saving).saveAs(file)
      const key = await read(file)
      const secret = Buffer.from(Redacted.value(key.secret)).toString("hex")
      assert.strictEqual(key.curve, "p256")
      rmSync(folder, { recursive: true })
      await look(page, "account-recovery-key-made")
      await page.emulateMedia({ media: "print" })
      const paper = page.locator(".paper")
      assert.include(await paper.innerText(), secret)
      assert.include(await paper.innerText(), key.didKey)
      await paper.getByRole("img", { name: "QR code of the private key" }).waitFor()
      assert.isFalse(await page.getByRole("button", { name: "Continue" }).first().isVisible())
      await look(page, "account-recovery-key-printed", { scripts: false })
      await page.emulateMedia({ media: null })

      const make = page.locator("form[data-recovery-key]")
      const end = page.getByLabel("The last six characters of the private key")
      await end.fill(secret.slice(0, 6) === secret.slice(-6) ? "000000" : secret.slice(0, 6))
      await make.getByRole("button", { name: "Continue" }).click()
      await page.getByText("Those aren’t the last six characters").waitFor()
      await end.fill(secret.slice(-6))
      await make.getByRole("button", { name: "Continue" }).click()
      await arrive(page, "Set your recovery key")
      await look(page, "account-recovery-key-review")
      await enterCode(page, rita.handle)
      await look(page, "account-recovery-key-code")
      await click(page, "Set recovery key")
      await page.getByText("Your recovery key is set.").waitFor()
      await look(page, "account-keys-safe")
      assert.deepStrictEqual(await keysOf(rita.did), [key.didKey, server])
      assert.isFalse(
        sent.some((one) => one.includes(secret) || one.includes(secret.slice(0, 32))),
        "the private key left the browser"
      )
      await world().forget(context)
    })

    it("a user without JavaScript brings a key, replaces it and removes it", async () => {
      const rosa = await world().person("rosa")
      const context = await world().visitor({ javaScriptEnabled: false })
      await signInUnseen(context, world().server.publicUrl, rosa)
      const page = await context.newPage()
      const [server = ""] = await keysOf(rosa.did)
      const keys = [1, 2].map(() => formatDidKey(publicKeyOf("p256", generatePrivateKey("p256"))))
      await page.goto(`${world().server.publicUrl}/account/recovery-key`)
      await arrive(page, "Create a recovery key")
      assert.isFalse(await page.getByRole("button", { name: "Create a key" }).isVisible())
      await page.getByLabel("Public key (did:key)").fill(keys[0]!)
      await click(page, "Continue")
      await enterCode(page, rosa.handle)
      await click(page, "Set recovery key")
      await page.getByText("Your recovery key is set.").waitFor()
      await link(page, "Add or replace a recovery key")
      await page.getByLabel("Public key (did:key)").fill(keys[1]!)
      await page.getByLabel("Your other keys").last().selectOption(keys[0]!)
      await click(page, "Continue")
      await page.getByText("This removes").waitFor()
      await enterCode(page, rosa.handle, 2)
      await click(page, "Set recovery key")
      await page.getByText("Your recovery key is set.").waitFor()
      assert.deepStrictEqual(await keysOf(rosa.did), [keys[1]!, server])
      await link(page, "Remove a key")
      await arrive(page, "Remove a key")
      await look(page, "account-remove-key", { scripts: false })
      await enterCode(page, rosa.handle, 3)
      await click(page, "Remove key")
      await page.getByText("Key removed.").waitFor()
      assert.deepStrictEqual(await keysOf(rosa.did), [server])
      await world().forget(context)
    })
  })
}
