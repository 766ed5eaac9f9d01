import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { vi } from "vitest"
import { CapturedMails } from "../../src/layers/mail/MailerCaptured.ts"
import type { HostServices } from "../../src/http/host.ts"
import type { Mail } from "../../src/services/mail/Mailer.ts"
import { PlcDirectory } from "../../src/services/identity/PlcDirectory.ts"
import { updatePlc } from "../../src/services/identity/PlcOperations.ts"
import { ask, browserOf, formOn, ours } from "../support/http/accountPages.ts"
import { codeFor, waitingCodes } from "../support/http/httpCodes.ts"
import { type Host, startHost } from "../support/http/httpHost.ts"
import { ok, session, signUp } from "../support/http/httpWorld.ts"

let host: Host
let mailing: Host
beforeAll(async () => {
  host = await startHost()
  mailing = await startHost({ MAILER: "captured" })
})
afterAll(() => Promise.all([host.close(), mailing.close()]))

/** The mails to an address. */
const mailsTo = (address: string): Promise<ReadonlyArray<Mail>> =>
  mailing.beneath(
    // SAFETY: this host's mailer captures.
    Effect.flatMap(CapturedMails, ({ all }) => all).pipe(
      Effect.map((mails) => mails.filter(({ to }) => to === address))
    ) as unknown as Effect.Effect<ReadonlyArray<Mail>, never, HostServices>
  )

const pointElsewhere = (on: Host, did: string) =>
  on.beneath(
    updatePlc(did, ({ services }) => ({
      services: {
        ...services,
        atproto_pds: {
          type: "AtprotoPersonalDataServer",
          endpoint: "https://new.example.org"
        }
      }
    }))
  )

describe("the page for moving away", () => {
  it("the page requires a recent proof", async () => {
    const who = await signUp(host, "later", "plc")
    const browser = await browserOf(host, who)
    const form = await formOn(browser, "move", "move/token")
    host.advance(16 * 60_000)
    assert.include((await browser.get("/account/move", ours)).location, "/account/confirm")
    const answer = await browser.submit(form, { server: "pds.example.org" })
    assert.include(answer.text, "Confirm it’s you")
  })

  it("the page shows the code if no mail is sent, and the code signs the operation of the move", async () => {
    const who = await signUp(host, "coded", "plc")
    const browser = await browserOf(host, who)
    await browser.submit(await formOn(browser, "move", "move/code"))
    const { text } = await browser.get("/account/move?done=code-ready", ours)
    const { plc_operation: token } = await waitingCodes(host, who.did)
    assert.include(text, `<code>${token}</code>`)
    const { rotationKeys } = await host.beneath(
      Effect.flatMap(PlcDirectory, (plc) => plc.data(who.did))
    )
    ok(
      await host.call("com.atproto.identity.signPlcOperation", {
        auth: who.auth,
        input: { token, rotationKeys }
      })
    )
    assert.notInclude((await browser.get("/account/move", ours)).text, "A code was requested")
  })

  it("the page mails the code if it can, and shows none", async () => {
    const who = await signUp(mailing, "mailed", "plc")
    const browser = await browserOf(mailing, who)
    const sent = await browser.submit(await formOn(browser, "move", "move/code"))
    assert.include(sent.text, "We’ve sent you a code")
    const code = await codeFor(mailing, who.did, "plc_operation")
    assert.notInclude((await browser.get("/account/move", ours)).text, code)
  })

  it("a token names the new server, is valid for an hour and only for creating the account, and is in the history and a mail", async () => {
    const who = await signUp(mailing, "tokened", "plc")
    const browser = await browserOf(mailing, who)
    const form = await formOn(browser, "move", "move/token")
    const shown = await browser.submit(form, { server: "https://pds.example.org/somewhere" })
    const token = /<code>(eyJ[^<]+)<\/code>/.exec(shown.text)?.[1] ?? ""
    const claims = JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString())
    assert.deepInclude(claims, {
      iss: who.did,
      aud: "did:web:pds.example.org",
      lxm: "com.atproto.server.createAccount"
    })
    assert.isAtMost(claims.exp, Math.floor(mailing.now() / 1000) + 3600)
    assert.include(
      (await browser.get("/account/activity", ours)).text,
      "Token for another server created"
    )
    const mails = await vi.waitFor(async () => {
      const sent = await mailsTo(who.email)
      if (!sent.some(({ purpose }) => purpose === "history_move-token")) throw new Error("not yet")
      return sent
    })
    for (const { text } of mails) assert.notInclude(text, token)
  })

  it("an address that names no other server is refused under its field, and nothing is created", async () => {
    const who = await signUp(host, "wrong", "plc")
    const browser = await browserOf(host, who)
    const form = await formOn(browser, "move", "move/token")
    for (const server of [
      "",
      "not a host",
      "https://me@pds.example.org",
      "10.0.0.1",
      "x".repeat(300)
    ]) {
      const shown = await browser.submit(form, { server })
      assert.strictEqual(shown.status, 400, server)
      assert.include(shown.text, 'id="server-error"')
    }
    assert.notInclude((await browser.get("/account/activity", ours)).text, "Token for another")
  })

  it("the page says after a move where the account lives, with the archive and the deletion", async () => {
    const who = await signUp(host, "gone", "plc")
    await pointElsewhere(host, who.did)
    const browser = await browserOf(host, who)
    const active = await browser.get("/account/move", ours)
    assert.include(active.text, "new.example.org")
    assert.include(active.text, "still active")
    const { accessJwt } = await session(host, who.did, "full")
    const auth = `Bearer ${accessJwt}`
    ok(await host.call("com.atproto.server.deactivateAccount", { input: {}, auth }))
    const { text } = await browser.get("/account/move", ours)
    assert.notInclude(text, "still active")
    for (const page of ["export", "delete"]) assert.include(text, `href="/account/${page}"`)
    assert.include((await browser.get("/account", ours)).text, 'href="/account/move"')
    assert.strictEqual((await browser.get("/account/export", ours)).status, 200)
    assert.strictEqual((await ask(host, who.did, "security")).status, "deactivated")
  })
})
