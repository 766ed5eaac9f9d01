import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { decode, goat, shapes } from "../../support/http/goat.ts"
import {
  account,
  didKey,
  type GoatAccount,
  newName,
  postPicture
} from "../../support/http/goatPeople.ts"
import { adminPassword, type Host, startHost } from "../../support/http/httpHost.ts"
import { settled } from "../../support/http/httpWorld.ts"

const server = (name: string) => `com.atproto.server.${name}`
const admin = (name: string) => `com.atproto.admin.${name}`
const sync = (name: string) => `com.atproto.sync.${name}`

const basic = { basic: adminPassword }

describe("goat's requests to a server and its administrator", () => {
  let host: Host
  beforeAll(async () => {
    host = await startHost()
  })
  afterAll(() => host.close())

  it("goat pds describe, account list and status work", async () => {
    const go = goat(host)
    const described = await go.send("GET", server("describeServer"))
    decode(described.json, shapes.describeServer, ["did", "availableUserDomains"])
    const { did, session } = await account(host)
    await settled(host, did)
    const list = async () => {
      const { json } = await go.send("GET", sync("listRepos"), { params: { limit: 500 } })
      decode(json, shapes.listRepos)
      return json.repos.find((each: GoatAccount) => each.did === did)
    }
    const status = async () => {
      const { json } = await go.send("GET", sync("getRepoStatus"), { params: { did } })
      decode(json, shapes.getRepoStatus, ["did", "active"])
      return json
    }
    assert.isTrue((await list()).active)
    assert.strictEqual((await status()).rev, (await list()).rev)
    await go.send("POST", server("deactivateAccount"), { input: {} }, session)
    await settled(host, did)
    assert.deepInclude(await list(), { active: false, status: "deactivated" })
    assert.strictEqual((await status()).status, "deactivated")
  })

  it("goat pds admin create-invites, account create, info, update, reset-password, takedown and delete work", async () => {
    const go = goat(host)
    const invite = async () => {
      const input = { useCount: 1 }
      const { json } = await go.send("POST", server("createInviteCode"), { input }, basic)
      return json.code as string
    }
    const handle = `${newName()}.test`
    const input = {
      email: `${handle}@mail.example.com`,
      handle,
      inviteCode: await invite(),
      password: "a good password",
      recoveryKey: didKey(73)
    }
    const born = await go.send("POST", server("createAccount"), { input })
    decode(born.json, shapes.createAccount, ["did", "handle"])
    const { did } = born.json
    const info = async () => {
      const { json } = await go.send("GET", admin("getAccountInfo"), { params: { did } }, basic)
      decode(json, shapes.getAccountInfo, ["did", "handle", "indexedAt"])
      return json
    }
    assert.strictEqual((await info()).invitedBy.code, input.inviteCode)
    const change = (name: string, what: object) =>
      go.send("POST", admin(name), { input: what }, basic)
    const email = `new-${input.email}`
    await change("updateAccountEmail", { account: did, email })
    await change("updateAccountHandle", { did, handle: `old-${handle}` })
    assert.deepInclude(await info(), { email, handle: `old-${handle}` })
    await change("updateAccountPassword", { did, password: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" })
    await go.login(did, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    const subject = { $type: "com.atproto.admin.defs#repoRef", did }
    for (const applied of [true, false]) {
      await change("updateSubjectStatus", { subject, takedown: { applied } })
      const params = { did }
      const { json } = await go.send("GET", admin("getSubjectStatus"), { params }, basic)
      decode(json, shapes.getSubjectStatus, ["subject"])
      assert.strictEqual(json.takedown.applied, applied)
    }
    await change("deleteAccount", { did })
    const gone = await go.attempt("GET", admin("getAccountInfo"), { params: { did } }, basic)
    assert.deepStrictEqual([gone.status, gone.json.error], [400, "NotFound"])
  })

  it("goat blob status and purge work", async () => {
    const go = goat(host)
    const who = await account(host)
    const { cid } = await postPicture(host, who)
    const { did } = who
    const subject = { $type: "com.atproto.admin.defs#repoBlobRef", cid, did }
    for (const applied of [true, false]) {
      const input = { subject, takedown: { applied } }
      await go.send("POST", admin("updateSubjectStatus"), { input }, basic)
      const params = { blob: cid, did }
      const { json } = await go.send("GET", admin("getSubjectStatus"), { params }, basic)
      decode(json, shapes.getSubjectStatus, ["subject"])
      assert.deepInclude(json.subject, { $type: subject.$type, cid, did })
      assert.strictEqual(json.takedown.applied, applied)
      const got = await go.attempt("GET", sync("getBlob"), { params: { cid, did } })
      assert.strictEqual(got.status, applied ? 400 : 200)
    }
  })
})
