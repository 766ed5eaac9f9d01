import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { continueAnnouncements } from "../../src/services/mail/announce.ts"
import { Mailer, MailNotSent } from "../../src/services/mail/Mailer.ts"
import {
  consoleForm,
  enterConsole,
  look,
  makeOperator,
  newestActs
} from "../support/http/consolePages.ts"
import { codeFor } from "../support/http/httpCodes.ts"
import { basic, type Host, startHost } from "../support/http/httpHost.ts"
import { ok, outcomeOf, signUp } from "../support/http/httpWorld.ts"

const subject = "Maintenance on Sunday"
const text = "We update the server.\n\nIt takes <ten> minutes."

let host: Host
/** The mailer of the steps: keeps what it sends, and breaks as a test wants. */
let sent: Array<{ readonly to: string; readonly html?: string | undefined }> = []
let broken: "no" | "refuses" | "dies" = "no"

const mailer = Mailer.of({
  delivers: true,
  send: (mail) =>
    Effect.suspend(() => {
      if (broken === "refuses") {
        return Effect.fail(new MailNotSent({ purpose: mail.purpose, cause: new Error("busy") }))
      }
      sent.push({ to: mail.to, html: mail.html })
      // As when the isolate ends after the provider has accepted the mail.
      return broken === "dies" ? Effect.die(new Error("the isolate ended")) : Effect.void
    })
})

const step = (mails = 50) =>
  host.beneath(
    continueAnnouncements({ mails, millis: 60_000 }).pipe(
      Effect.provideService(Mailer, mailer),
      Effect.catchCause(() => Effect.void)
    )
  )

const post = (input: object) => host.ask("/admin/announcements", { auth: basic(), input })
const newest = async () =>
  ok(await host.ask("/admin/announcements", { auth: basic() }))["announcements"][0]

/** A person whose address is confirmed. */
const confirmed = async (name: string) => {
  const person = await signUp(host, name)
  const token = await codeFor(host, person.did, "confirm_email")
  const input = { email: person.email, token }
  ok(await host.call("com.atproto.server.confirmEmail", { auth: person.auth, input }))
  return person
}

let people: Array<Awaited<ReturnType<typeof confirmed>>> = []

beforeAll(async () => {
  host = await startHost({ MAILER: "captured" })
  people = [await confirmed("alice"), await confirmed("bobby"), await confirmed("carol")]
  await signUp(host, "doubtful")
})
afterAll(() => host.close())
beforeEach(() => {
  sent = []
  broken = "no"
})

const addresses = () => sent.map(({ to }) => to).toSorted()
const everybody = () => people.map(({ email }) => email).toSorted()

describe("announcements", () => {
  it("an announcement goes to each confirmed address once, in steps, and its text is escaped", async () => {
    const made = ok(await post({ subject, text }))
    assert.deepInclude(made, { accounts: 4, withoutAddress: 0, delivers: true })
    const [entry] = await newestActs(host)
    assert.deepInclude(entry, { act: "/admin/announcements", actor: "password" })
    assert.deepStrictEqual(entry!.after, { subject, accounts: 4, withoutAddress: 0 })
    await step(2)
    assert.isAtMost(sent.length, 2)
    assert.notProperty(await newest(), "endedAt")
    await step(2)
    await step(2)
    assert.deepStrictEqual(addresses(), everybody())
    const ended = await newest()
    assert.deepInclude(ended, { subject, sent: 3, unconfirmed: 1, withoutAddress: 0, to: "all" })
    assert.property(ended, "endedAt")
    assert.include(sent[0]!.html, "It takes &lt;ten&gt; minutes.")
    await step()
    assert.lengthOf(sent, 3)
  })

  it("an account whose mail was being sent when the server stopped is counted, and gets no second one", async () => {
    ok(await post({ subject, text }))
    broken = "dies"
    await step()
    assert.lengthOf(sent, 1)
    broken = "no"
    await step()
    assert.lengthOf(sent, 1, "another caller waits for the lease")
    host.advance(121_000)
    await step()
    assert.deepStrictEqual(addresses(), everybody())
    const ended = await newest()
    assert.deepInclude(ended, { sent: 2, unconfirmed: 1 })
    assert.lengthOf(ended["interrupted"], 1)
    assert.property(ended, "endedAt")
  })

  it("a mail that fails is tried three times, and then named", async () => {
    const [one] = people
    ok(await post({ subject, text, to: [one!.handle] }))
    broken = "refuses"
    for (let tries = 1; tries < 3; tries += 1) {
      await step()
      assert.deepInclude(await newest(), { failed: [], sent: 0 })
    }
    await step()
    broken = "no"
    await step()
    assert.deepInclude(await newest(), { failed: [one!.did], sent: 0, to: 1 })
    assert.deepStrictEqual(sent, [])
  })

  it("only the named accounts get an announcement, each once", async () => {
    const { did, email, handle } = people[1]!
    const dry = ok(await post({ subject, text, to: [handle, did], dryRun: true }))
    assert.deepInclude(dry, { accounts: 1, withoutAddress: 0 })
    ok(await post({ subject, text, to: [handle, did] }))
    await step()
    assert.deepStrictEqual(addresses(), [email])
    assert.strictEqual((await post({ subject, text, to: ["nobody.test"] })).status, 400)
    for (const wrong of [{ subject: "", text }, { subject, text: " " }, { subject }]) {
      assert.strictEqual((await post(wrong)).status, 400)
    }
  })

  it("a server that sends no mail refuses announcements", async () => {
    const silent = await startHost({ MAILER: "none" })
    const answer = await silent.ask("/admin/announcements", {
      auth: basic(),
      input: { subject, text }
    })
    assert.strictEqual(outcomeOf(answer), "400 InvalidRequest")
    assert.include(answer.body["message"], "doesn't send email")
    await silent.close()
  })

  it("a test mail says whether the server sends mail", async () => {
    const silent = await startHost({ MAILER: "none" })
    for (const [world, sent] of [
      [host, true],
      [silent, false]
    ] as const) {
      const { handle, email } = await signUp(world, "tried")
      const answer = await world.ask("/admin/mail/test", {
        auth: basic(),
        input: { account: handle }
      })
      assert.deepStrictEqual([answer.status, answer.body], [200, { to: email, sent }])
    }
    await silent.close()
  })

  it("an old console page doesn't claim to have sent mail on a server without mail", async () => {
    const silent = await startHost({ MAILER: "none" })
    const admin = await makeOperator(silent, "admin-op", "admin")
    const browser = await enterConsole(silent, admin)
    assert.isFalse((await look(browser, "mail")).has("/mail/test"))
    const { fields } = await consoleForm(browser, "invites", "invites/create")
    const sent = await browser.post({ action: "/admin/console/mail/test", fields })
    assert.strictEqual(sent.status, 400)
    assert.match(sent.text, /"note bad"[^>]*>\s*This server doesn’t send email\.\s*</)
    const { did } = await signUp(silent, "reader")
    assert.isFalse((await look(browser, `account?did=${did}`)).has("/account/write"))
    const letter = { did, subject: "Hello", message: "Are you there?" }
    const written = await browser.post({ action: "/admin/console/account/write", fields }, letter)
    assert.strictEqual(written.status, 400)
    assert.match(written.text, /"note bad"[^>]*>\s*This server doesn’t send email\.\s*</)
    await silent.close()
  })

  it("an admin previews an announcement in the console, sends it, and sees how far it is", async () => {
    const admin = await makeOperator(host, "admin-op", "admin")
    const browser = await enterConsole(host, admin)
    const page = await look(browser, "mail")
    const form = page.form("/admin/console/mail/preview")
    const unknown = await browser.post(form, { subject, text, to: "nobody.test" })
    assert.strictEqual(unknown.status, 400)
    assert.include(unknown.text, "isn’t on this server")
    assert.include(unknown.text, "It takes &lt;ten&gt; minutes.")
    const to = people[2]!.handle
    const preview = await browser.post(form, { subject, text, to })
    assert.include(preview.text, "It goes to 1 account.")
    assert.include(preview.text, "It takes &lt;ten&gt; minutes.")
    const before = (await newest())["id"]
    const done = await browser.submit(preview.form("/admin/console/mail/announce"))
    assert.include(done.text, "The server sends the announcement")
    assert.include(done.text, "being sent, 0 sent")
    assert.deepInclude((await newestActs(host))[0], {
      act: "/admin/announcements",
      actor: admin.did
    })
    assert.isAbove((await newest())["id"], before)
    await step()
    assert.deepStrictEqual(addresses(), [people[2]!.email])
    assert.include((await look(browser, "mail")).text, "done, 1 sent")
  })
})
