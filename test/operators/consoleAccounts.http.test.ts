import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { CapturedMails } from "../../src/layers/mail/MailerCaptured.ts"
import type { Mail } from "../../src/services/mail/Mailer.ts"
import { ask, ours, withAuthenticator } from "../support/http/accountPages.ts"
import {
  consoleForm,
  enterConsole,
  look,
  makeOperator,
  newestActs,
  type Operator
} from "../support/http/consolePages.ts"
import type { Browser } from "../support/http/httpBrowser.ts"
import { bearer, type Host } from "../support/http/httpHost.ts"
import {
  firstRkey,
  ok,
  outcomeOf,
  signUp,
  startWorld,
  type World
} from "../support/http/httpWorld.ts"

let world: World
let admin: Operator
let moderator: Operator

beforeAll(async () => {
  world = await startWorld({ MAILER: "captured" })
  admin = await makeOperator(world, "admin-op", "admin")
  moderator = await makeOperator(world, "moderator-op", "moderator")
})
afterAll(() => world.close())

/** The mails that the server sent, oldest first. */
const mailsOf = (host: Host): Promise<ReadonlyArray<Mail>> => {
  // SAFETY: MAILER=captured.
  const all = Effect.flatMap(CapturedMails, (mails) => mails.all) as Effect.Effect<
    ReadonlyArray<Mail>
  >
  return host.beneath(all)
}

const pageOf = (did: string) => `account?did=${encodeURIComponent(did)}`

const send = async (
  browser: Browser,
  page: string,
  action: string,
  fields: Readonly<Record<string, string>> = {}
) => browser.post(await consoleForm(browser, page, action), fields)

describe("the console's accounts", () => {
  it("a search finds accounts by handle, address and DID, and by state", async () => {
    const browser = await enterConsole(world, moderator)
    const found = async (query: string) => (await look(browser, `accounts?${query}`)).text
    const { alice, bob, carol } = world
    for (const query of [bob.handle.toUpperCase(), bob.email, bob.did, `@${bob.handle}`]) {
      const text = await found(`q=${encodeURIComponent(query)}`)
      assert.include(text, bob.handle, query)
      assert.notInclude(text, alice.handle, query)
    }
    const down = await found("state=takendown")
    assert.include(down, carol.handle)
    assert.notInclude(down, bob.handle)
    assert.include(await found("q=nobody-of-this-name"), "No account matches.")
    const [entry] = await newestActs(world)
    assert.deepInclude(entry, { actor: moderator.did, act: "com.atproto.admin.searchAccounts" })
    assert.deepStrictEqual(entry?.after, { text: "nobody-of-this-name" })
  })

  it("pages of accounts neither skip nor repeat one", async () => {
    for (let at = 0; at < 60; at++) {
      const did = `did:web:many${at}.example`
      await Effect.runPromise(world.directory.reserve({ did, handle: `many${at}.test` }))
      await Effect.runPromise(world.directory.setStatus(did, "active"))
    }
    const browser = await enterConsole(world, moderator)
    const seen: Array<string> = []
    let path: string | undefined = "/admin/console/accounts"
    while (path !== undefined) {
      const { text } = await browser.get(path, ours)
      seen.push(...[...text.matchAll(/account\?did=([^"]+)"/g)].map(([, did]) => did!))
      const next: string | undefined = /href="([^"]+after=[^"]+)"/.exec(text)?.[1]
      path = next?.replaceAll("&amp;", "&")
    }
    assert.strictEqual(new Set(seen).size, seen.length)
    assert.isAbove(seen.length, 60)
  })

  it("an account's page shows how it signs in and what it stores, and no secret", async () => {
    const person = await signUp(world, "shown")
    const { totp, recoveryCodes } = await withAuthenticator(world, person.did)
    const made = await ask(world, person.did, "createAppPassword", { name: "x", privileged: false })
    await ask(world, person.did, "requestPasswordReset")
    const { text, status } = await look(await enterConsole(world, admin), pageOf(person.did))
    assert.strictEqual(status, 200)
    for (const part of [person.handle, person.email, "10 recovery codes left", "B of blobs"]) {
      assert.include(text, part)
    }
    const secrets = [totp.secret.base32, made.password, person.password, person.auth.slice(7)]
    for (const secret of [...secrets, ...recoveryCodes]) assert.notInclude(text, secret)
    const [entry] = await newestActs(world)
    assert.deepInclude(entry, { act: "com.atproto.admin.getAccountInfo", subject: person.did })
  })

  it("a moderator takes an account down with a reason and restores it, as the methods do", async () => {
    const person = await signUp(world, "downed")
    const browser = await enterConsole(world, moderator)
    const sent = await send(browser, pageOf(person.did), "moderation/take-down", {
      reason: "spam <b>& worse</b>"
    })
    assert.include(sent.location ?? "", "done=taken-down")
    const [entry] = await newestActs(world)
    assert.deepInclude(entry, {
      actor: moderator.did,
      act: "com.atproto.admin.updateSubjectStatus",
      subject: person.did,
      reason: "spam <b>& worse</b>",
      after: { takedown: true, ref: "spam <b>& worse</b>" }
    })
    const shown = await browser.get(sent.location!, ours)
    assert.include(shown.text, "Taken down.")
    assert.include(shown.text, "spam &lt;b&gt;&amp; worse&lt;/b&gt;")
    assert.notInclude(shown.text, "<b>&")
    const login = { identifier: person.did, password: person.password }
    const refused = await world.call("com.atproto.server.createSession", { input: login })
    assert.strictEqual(outcomeOf(refused), "401 AccountTakedown")
    await send(browser, pageOf(person.did), "moderation/restore", { reason: "a mistake" })
    assert.deepInclude((await newestActs(world))[0], {
      act: "com.atproto.admin.updateSubjectStatus",
      reason: "a mistake",
      after: { takedown: false }
    })
    ok(await world.call("com.atproto.server.createSession", { input: login }))
  })

  it("a record is found by its link, taken down and restored; a blob by its CID", async () => {
    const browser = await enterConsole(world, moderator)
    const { bob } = world
    const link = `https://bsky.app/profile/${bob.handle}/post/${firstRkey}`
    const page = `moderation?about=${encodeURIComponent(link)}`
    const params = { repo: bob.did, collection: "app.bsky.feed.post", rkey: firstRkey }
    const read = () => world.call("com.atproto.repo.getRecord", { params })
    ok(await read())
    await send(browser, page, "moderation/take-down", { reason: "off topic" })
    assert.strictEqual((await read()).status, 400)
    await send(browser, page, "moderation/restore")
    ok(await read())
    const blob = `moderation?about=${bob.did}&blob=${bob.avatar}`
    const served = () =>
      world.call("com.atproto.sync.getBlob", { params: { did: bob.did, cid: bob.avatar } })
    assert.strictEqual((await served()).status, 200)
    await send(browser, blob, "moderation/take-down", { reason: "a picture" })
    assert.strictEqual((await served()).status, 400)
    await send(browser, blob, "moderation/restore")
    assert.strictEqual((await served()).status, 200)
    const [entry] = await newestActs(world)
    assert.deepInclude(entry, { subject: `${bob.did} ${bob.avatar}` })
  })

  it("a look-up of anything else says what is wrong, and escapes the text", async () => {
    const browser = await enterConsole(world, moderator)
    for (const [about, says] of [
      ['"><script>x</script>', "not an address that we know"],
      ["nobody.example.com", "no such account"],
      [`at://${world.bob.did}/app.bsky.feed.post/nothing`, "no such record"]
    ] as const) {
      const shown = await look(browser, `moderation?about=${encodeURIComponent(about)}`)
      assert.strictEqual(shown.status, 400, about)
      assert.include(shown.text, says)
      assert.notInclude(shown.text, "<script>x")
    }
  })

  it("an admin mails a code for a new password, and turns an authenticator off with a mail", async () => {
    const person = await signUp(world, "locked-out")
    await withAuthenticator(world, person.did)
    const browser = await enterConsole(world, admin)
    const page = pageOf(person.did)
    const reset = await send(browser, page, "account/reset")
    assert.include(reset.location ?? "", "done=reset")
    assert.deepInclude((await newestActs(world))[0], {
      act: "com.atproto.server.requestPasswordReset",
      subject: person.did
    })
    await send(browser, page, "account/reset-factor")
    assert.deepInclude((await newestActs(world))[0], {
      actor: admin.did,
      act: "/admin/factors/reset",
      subject: person.did,
      before: { authenticator: true },
      after: { authenticator: false }
    })
    const mails = await mailsOf(world)
    const purposes = mails.filter(({ to }) => to === person.email).map(({ purpose }) => purpose)
    assert.includeMembers(purposes, ["reset_password", "factor_reset"])
    // That mail is the only one about it.
    assert.notInclude(purposes, "history_authenticator-off")
    const { entries } = await ask(world, person.did, "history", { limit: 10 })
    const off = entries.find(({ kind }) => kind === "authenticator-off")
    assert.strictEqual(off?.by, "operator")
    const { secondFactor } = await ask(world, person.did, "owner")
    assert.isFalse(secondFactor)
    const again = await world.ask("/admin/factors/reset", {
      auth: bearer("x"),
      input: { account: person.did }
    })
    assert.strictEqual(again.status, 401)
  })

  it("a deletion requires the typed handle, waits three days, and can be undone", async () => {
    const person = await signUp(world, "going")
    const browser = await enterConsole(world, admin)
    const wrong = await send(browser, pageOf(person.did), "account/delete", {
      handle: "other.test"
    })
    assert.strictEqual(wrong.status, 400)
    assert.include(wrong.text, "not this account’s handle")
    assert.include(wrong.text, 'value="other.test"')
    const own = await look(browser, pageOf(admin.did))
    assert.isFalse(own.has("account/delete"))
    const form = await consoleForm(browser, pageOf(person.did), "account/delete")
    const refused = await browser.post(form, { did: admin.did, handle: admin.handle })
    assert.strictEqual(refused.status, 400)
    const sent = await browser.post(form, { handle: `@${person.handle}` })
    assert.include(sent.location ?? "", "done=deletion-asked")
    assert.deepInclude((await newestActs(world, 1))[0], {
      act: "/admin/accounts/delete",
      subject: person.did
    })
    const held = await look(browser, pageOf(person.did))
    assert.include(held.text, "Its deletion was asked for")
    const kept = await send(browser, pageOf(person.did), "account/keep")
    assert.include(kept.location ?? "", "done=kept")
    const after = await look(browser, pageOf(person.did))
    assert.notInclude(after.text, "Its deletion was asked for")
    assert.isFalse(after.has("account/keep"))
  })

  it("a moderator suspends an account with a reason, and the page says why nobody signs in", async () => {
    const person = await signUp(world, "loud")
    const browser = await enterConsole(world, moderator)
    const page = pageOf(person.did)
    assert.include((await look(browser, page)).text, "loud.test can sign in with the password")
    const sent = await send(browser, page, "account/suspend", { why: "<b>Spam</b>" })
    assert.include(sent.location ?? "", "done=suspended")
    assert.deepInclude((await newestActs(world, 1))[0], {
      act: "/admin/accounts/suspend",
      subject: person.did,
      reason: "<b>Spam</b>"
    })
    const shown = await look(browser, page)
    assert.include(shown.text, "the account is suspended: &lt;b&gt;Spam&lt;/b&gt;")
    assert.include(shown.text, "Reason: &lt;b&gt;Spam&lt;/b&gt;")
    const found = await look(browser, `moderation?about=${person.did}`)
    assert.include(found.text, "suspended: &lt;b&gt;Spam&lt;/b&gt;")
    assert.isFalse(shown.has("account/suspend"))
    await send(browser, page, "moderation/restore")
    assert.include((await look(browser, page)).text, "loud.test can sign in with the password")
  })

  it("an admin changes an account's storage limit, and a moderator only sees it", async () => {
    const person = await signUp(world, "hoarder")
    const page = pageOf(person.did)
    const browser = await enterConsole(world, admin)
    assert.include((await look(browser, page)).text, "of blobs, of at most 50 GB")
    const wrong = await send(browser, page, "account/quota", { quota: "5 apples" })
    assert.strictEqual(wrong.status, 400)
    assert.include(wrong.text, "Use a size such as 500MB or 5GB")
    assert.include(wrong.text, 'value="5 apples"')
    const sent = await send(browser, page, "account/quota", { quota: "5gb" })
    assert.include(sent.location ?? "", "done=quota")
    assert.deepInclude((await newestActs(world, 1))[0], {
      act: "/admin/accounts/quota",
      subject: person.did,
      after: { quota: 5e9 }
    })
    const shown = await look(browser, page)
    assert.include(shown.text, "of blobs, of at most 5 GB, its own limit")
    assert.include(shown.text, "Storage limit changed")
    assert.include(shown.text, "From default to 5 GB")
    const other = await look(await enterConsole(world, moderator), page)
    assert.include(other.text, "of at most 5 GB, its own limit")
    assert.isFalse(other.has("account/quota"))
    await send(browser, page, "account/quota", { quota: "none" })
    assert.include((await look(browser, page)).text, "of blobs, without a limit")
    await send(browser, page, "account/quota", { quota: "" })
    assert.include((await look(browser, page)).text, "of at most 50 GB</dd>")
  })

  it("an admin checks an account's data, and repairs it; a moderator can't", async () => {
    const damaged = await signUp(world, "damaged")
    const spoil = Effect.map(SqlStorage, (sql) => sql.exec("UPDATE head SET nodes = 7"))
    await world.inside(damaged.did, spoil)
    const browser = await enterConsole(world, admin)
    const page = pageOf(damaged.did)
    const found = await send(browser, page, "account/check")
    assert.include(found.text, "1 problem found.")
    assert.include(found.text, "the head counts 7 nodes")
    assert.deepInclude((await newestActs(world))[0], {
      act: "/admin/check",
      subject: damaged.did
    })
    const repaired = await browser.submit(found.form("/admin/console/account/repair"))
    assert.include(repaired.text, "Repaired.")
    const [repair] = (await newestActs(world, 3)).filter(({ act }) => act === "/admin/repair")
    assert.deepInclude(repair, { subject: damaged.did, actor: admin.did })
    const sound = await send(browser, page, "account/check")
    assert.include(sound.text, "No problems found.")
    assert.notInclude(sound.text, "account/repair")

    const theirs = await enterConsole(world, moderator)
    const seen = await look(theirs, page)
    assert.notInclude(seen.text, "account/check")
  })

  it("a check of every account names the account with a problem", async () => {
    const damaged = await signUp(world, "among-all")
    const spoil = Effect.map(SqlStorage, (sql) => sql.exec("UPDATE head SET records = 70"))
    await world.inside(damaged.did, spoil)
    const browser = await enterConsole(world, admin)
    const all = await send(browser, "backups", "backups/check")
    assert.include(all.text, "the head counts 70 records")
    assert.include(all.text, damaged.did)
    assert.include(all.text, "These are all.")
  })

  it("a moderator stops an account's invites and writes to its owner", async () => {
    const person = await signUp(world, "written-to")
    const browser = await enterConsole(world, moderator)
    const page = pageOf(person.did)
    await send(browser, page, "account/stop-invites")
    assert.include((await look(browser, page)).text, "can’t invite anyone")
    await send(browser, page, "account/allow-invites")
    const mailed = await send(browser, page, "account/write", { subject: "Hello", message: "Hi!" })
    assert.include(mailed.location ?? "", "done=mailed")
    const acts = (await newestActs(world, 4)).map(({ act }) => act)
    assert.include(acts, "com.atproto.admin.enableAccountInvites")
    assert.include(acts, "com.atproto.admin.sendEmail")
  })
})
