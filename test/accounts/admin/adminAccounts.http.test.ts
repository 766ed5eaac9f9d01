import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Mailer, type Mail } from "../../../src/services/mail/Mailer.ts"
import { newcomer, waitingCodes } from "../../support/http/httpCodes.ts"
import { basic } from "../../support/http/httpHost.ts"
import {
  ok,
  outcomeOf,
  settled,
  startWorld,
  takeDown,
  type World
} from "../../support/http/httpWorld.ts"
import { alphabets, variedBits } from "../../support/randomBits.ts"
import { decodeFrame } from "../../support/server/serverFrames.ts"

const nobody = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"

const didsOf = (views: ReadonlyArray<{ readonly did: string }>) => views.map(({ did }) => did)

describe("the administrator's account methods", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const admin = (name: string, asked: object) =>
    world.call(`com.atproto.admin.${name}`, { auth: basic(), ...asked })
  const change = (name: string, input: object) => admin(name, { input })
  const see = (name: string, params: object = {}) => admin(name, { params })
  const signIn = (identifier: string, password: string) =>
    world.call("com.atproto.server.createSession", { input: { identifier, password } })
  const makeCodes = async (input: object) =>
    ok(await world.call("com.atproto.server.createInviteCodes", { auth: basic(), input }))["codes"]

  it("getAccountInfo returns the account, the invite that it used, and those it may give away", async () => {
    const { bob, dora } = world
    const [{ codes }] = await makeCodes({ codeCount: 1, useCount: 1, forAccounts: [bob.did] })
    const name = `guest${world.next()}`
    const input = {
      handle: `${name}.test`,
      email: `${name}@mail.example.com`,
      password: "a good password",
      inviteCode: codes[0]
    }
    const { did } = ok(await world.call("com.atproto.server.createAccount", { input }))
    const info = ok(await see("getAccountInfo", { did }))
    const { invitedBy, indexedAt, ...rest } = info
    assert.deepStrictEqual(rest, {
      did,
      handle: input.handle,
      email: input.email,
      invitesDisabled: false,
      invites: []
    })
    assert.strictEqual(invitedBy.code, codes[0])
    assert.strictEqual(invitedBy.uses[0].usedBy, did)
    assert.isBelow(Math.abs(Date.parse(indexedAt) - world.now()), 60_000)
    const giver = ok(await see("getAccountInfo", { did: bob.did }))
    assert.deepStrictEqual(giver["invites"], [invitedBy])
    assert.isString(ok(await see("getAccountInfo", { did: dora.did }))["deactivatedAt"])
    const dids = [did, nobody, dora.did, did]
    const { infos } = ok(await see("getAccountInfos", { dids }))
    assert.deepStrictEqual(didsOf(infos), [did, dora.did])
    assert.deepStrictEqual(infos[0], info)
    assert.strictEqual(outcomeOf(await see("getAccountInfo", { did: nobody })), "400 NotFound")
    const many = Array.from({ length: 101 }, (_, n) => `did:web:${n}.test.com`)
    const tooMany = await see("getAccountInfos", { dids: many })
    assert.strictEqual(outcomeOf(tooMany), "400 InvalidRequest")
  })

  it("searchAccounts finds accounts by a part of their address, page by page", async () => {
    const people = []
    for (let count = 0; count < 3; count++) {
      people.push(await newcomer(world, `sought${world.next()}`))
    }
    const seen: Array<string> = []
    let cursor: string | undefined
    do {
      const params = { email: "Sought", limit: 2, ...(cursor === undefined ? {} : { cursor }) }
      const page = ok(await see("searchAccounts", params))
      seen.push(...didsOf(page["accounts"]))
      cursor = page["cursor"]
    } while (cursor !== undefined)
    assert.deepStrictEqual(seen, didsOf(people).toSorted())
    const none = ok(await see("searchAccounts", { email: "nobody@nowhere" }))
    assert.deepStrictEqual(none, { accounts: [] })
    const everybody = ok(await see("searchAccounts", { limit: 100 }))
    assert.includeMembers(didsOf(everybody["accounts"]), [world.carol.did, world.dora.did])
  })

  it("createInviteCodes creates codes of 50 random bits", async () => {
    const input = { codeCount: 64, useCount: 1 }
    const made = ok(
      await world.call("com.atproto.server.createInviteCodes", { auth: basic(), input })
    )
    const texts = (made["codes"][0]["codes"] as ReadonlyArray<string>).map((code) =>
      code.slice(-11)
    )
    assert.lengthOf(texts, 64)
    assert.strictEqual(variedBits(texts, alphabets.base32), 50)
  })

  it("the administrator lists and disables invite codes, and an account's right to them", async () => {
    const { alice } = world
    const [{ codes }] = await makeCodes({ codeCount: 2, useCount: 1, forAccounts: [alice.did] })
    const listed = ok(await see("getInviteCodes", { sort: "recent", limit: 1 }))
    assert.lengthOf(listed["codes"], 1)
    const rest = ok(await see("getInviteCodes", { limit: 500, cursor: listed["cursor"] }))
    const all = [...listed["codes"], ...rest["codes"]].map(({ code }) => code)
    assert.includeMembers(all, codes)
    assert.strictEqual(new Set(all).size, all.length)
    ok(await see("getInviteCodes", { sort: "usage" }))
    for (const params of [{ sort: "age" }, { cursor: "x" }, { cursor: "1:" }]) {
      assert.strictEqual(outcomeOf(await see("getInviteCodes", params)), "400 InvalidRequest")
    }
    const signUp = async (inviteCode: string) => {
      const name = `late${world.next()}`
      const email = `${name}@mail.example.com`
      const input = { handle: `${name}.test`, email, password: "a good password", inviteCode }
      return outcomeOf(await world.call("com.atproto.server.createAccount", { input }))
    }
    ok(await change("disableInviteCodes", { codes: [codes[0]] }))
    assert.strictEqual(await signUp(codes[0]), "400 InvalidInviteCode")
    assert.strictEqual(await signUp(codes[1]), "ok")
    const [{ codes: others }] = await makeCodes({
      codeCount: 1,
      useCount: 1,
      forAccounts: [alice.did]
    })
    ok(await change("disableInviteCodes", { accounts: [alice.did] }))
    assert.strictEqual(await signUp(others[0]), "400 InvalidInviteCode")
    const ofAdmin = await change("disableInviteCodes", { accounts: ["admin"] })
    assert.strictEqual(outcomeOf(ofAdmin), "400 InvalidRequest")
    const disabled = async () =>
      ok(await see("getAccountInfo", { did: alice.did }))["invitesDisabled"]
    ok(await change("disableAccountInvites", { account: alice.did }))
    assert.isTrue(await disabled())
    ok(await change("enableAccountInvites", { account: alice.did }))
    assert.isFalse(await disabled())
  })

  it("updateAccountPassword ends the old password, its sessions and its browsers", async () => {
    const who = await newcomer(world, `forgetful${world.next()}`)
    const { did } = who
    const unfit = await change("updateAccountPassword", { did, password: "short" })
    assert.strictEqual(outcomeOf(unfit), "400 InvalidPassword")
    ok(await change("updateAccountPassword", { did, password: "the new password" }))
    assert.strictEqual(outcomeOf(await signIn(did, who.password)), "401 AuthenticationRequired")
    ok(await signIn(did, "the new password"))
    const session = await world.call("com.atproto.server.getSession", { auth: who.auth })
    assert.strictEqual(outcomeOf(session), "400 ExpiredToken")
  })

  it("updateAccountEmail sets an unconfirmed address by DID or handle, and revokes codes to the old one", async () => {
    const who = await newcomer(world, `moving${world.next()}`)
    const mail = "com.atproto.server.requestEmailConfirmation"
    ok(await world.call(mail, { auth: who.auth, method: "POST" }))
    const { confirm_email: token } = await waitingCodes(world, who.did)
    const email = `Elsewhere${world.next()}@mail.example.com`
    ok(await change("updateAccountEmail", { account: who.handle, email }))
    const confirmed = await world.call("com.atproto.server.confirmEmail", {
      auth: who.auth,
      input: { email, token }
    })
    assert.strictEqual(outcomeOf(confirmed), "400 InvalidToken")
    const session = ok(await world.call("com.atproto.server.getSession", { auth: who.auth }))
    assert.deepInclude(session, { email: email.toLowerCase(), emailConfirmed: false })
    ok(await signIn(email, who.password))
    const { alice } = world
    const account = who.did
    const taken = await change("updateAccountEmail", { account, email: alice.email })
    assert.strictEqual(outcomeOf(taken), "400 InvalidRequest")
    const none = await change("updateAccountEmail", { account, email: "nonsense" })
    assert.strictEqual(outcomeOf(none), "400 InvalidRequest")
  })

  it("updateAccountHandle assigns any handle, even a reserved one, and emits an event", async () => {
    const who = await newcomer(world, `renamed${world.next()}`, { plc: true })
    const { did } = who
    await settled(world, did)
    const frames = world.subscribe()
    const handle = "support.test"
    const byOwner = await world.call("com.atproto.identity.updateHandle", {
      auth: who.auth,
      input: { handle }
    })
    assert.strictEqual(byOwner.status, 400)
    ok(await change("updateAccountHandle", { did, handle }))
    const resolved = ok(
      await world.call("com.atproto.identity.resolveIdentity", {
        params: { identifier: "support.test" }
      })
    )
    assert.deepInclude(resolved, { did, handle: "support.test" })
    await settled(world, did)
    await world.delivered()
    const events = frames.map(decodeFrame).filter(({ body }) => body.did === did)
    assert.deepStrictEqual(
      events.map(({ type, body }) => [type, body.handle]),
      [["#identity", "support.test"]]
    )
    const taken = await change("updateAccountHandle", { did, handle: world.alice.handle })
    assert.strictEqual(outcomeOf(taken), "400 HandleNotAvailable")
  })

  it("deleteAccount deletes an account completely, even one that is taken down", async () => {
    const who = await newcomer(world, `unwanted${world.next()}`)
    const { did } = who
    await takeDown(world, did, "takendown")
    ok(await change("deleteAccount", { did }))
    assert.strictEqual(outcomeOf(await see("getAccountInfo", { did })), "400 NotFound")
    const status = await world.call("com.atproto.sync.getRepoStatus", { params: { did } })
    assert.strictEqual(outcomeOf(status), "400 RepoNotFound")
    assert.strictEqual(outcomeOf(await change("deleteAccount", { did })), "400 NotFound")
    const again = await newcomer(world, who.handle.split(".")[0]!)
    assert.strictEqual(again.did, did)
  })

  it("sendEmail writes to an owner, and reports when this server sends no email", async () => {
    const { alice } = world
    const input = { recipientDid: alice.did, senderDid: alice.did, content: "Hello." }
    assert.deepStrictEqual(ok(await change("sendEmail", input)), { sent: false })
    const unknown = await change("sendEmail", { ...input, recipientDid: nobody })
    assert.strictEqual(outcomeOf(unknown), "400 NotFound")
    const other = await startWorld({ MAILER: "captured" })
    const sent: Array<Mail> = []
    const mailer = await other.beneath(Mailer)
    const { send } = mailer
    Object.assign(mailer, {
      send: (mail: Mail) =>
        Effect.andThen(
          send(mail),
          Effect.sync(() => void sent.push(mail))
        )
    })
    const nsid = "com.atproto.admin.sendEmail"
    const words = { ...input, subject: "About you" }
    assert.deepStrictEqual(ok(await other.call(nsid, { auth: basic(), input: words })), {
      sent: true
    })
    const [mail] = sent
    assert.deepStrictEqual(mail, {
      to: alice.email,
      subject: "About you",
      text: "Hello.",
      purpose: "admin"
    })
    await other.close()
  })
})
