import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { formatDidKey, publicKeyOf } from "../../src/core/identity/didKey.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { basic, bearer, startHost } from "../support/http/httpHost.ts"
import { makeMover } from "../support/http/httpMover.ts"
import { pastedForms, writtenForms } from "../support/writtenNames.ts"
import { ok, outcomeOf, signUp, startWorld, type World } from "../support/http/httpWorld.ts"

const createAccount = "com.atproto.server.createAccount"
const rotation = formatDidKey(publicKeyOf("k256", new Uint8Array(32).fill(0x42)))

describe("signing up", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const invite = async (useCount = 1): Promise<string> => {
    const nsid = "com.atproto.server.createInviteCode"
    return ok(await world.call(nsid, { auth: basic(), input: { useCount } }))["code"]
  }

  /** Tries with a new invite and the test's changes. */
  const attempt = async (change: object, auth?: string) => {
    const name = `up${world.next()}`
    const input = {
      handle: `${name}.test`,
      email: `${name}@mail.example.com`,
      password: "a good password",
      inviteCode: await invite(),
      ...change
    }
    return world.call(createAccount, { input, auth })
  }

  const refused = async (change: object, outcome: string, auth?: string) => {
    const answer = await attempt(change, auth)
    assert.strictEqual(outcomeOf(answer), outcome, JSON.stringify(change))
  }

  it("createAccount creates a did:plc whose document points here, active and served at once", async () => {
    const { did, handle, didDoc, accessJwt } = ok(await attempt({}))
    assert.match(did, /^did:plc:[a-z2-7]{24}$/)
    assert.strictEqual(didDoc.alsoKnownAs[0], `at://${handle}`)
    const session = await world.call("com.atproto.server.getSession", { auth: bearer(accessJwt) })
    assert.deepInclude(ok(session), { did, handle, active: true })
    for (const [nsid, params] of [
      ["com.atproto.identity.resolveHandle", { handle }],
      ["com.atproto.identity.resolveDid", { did }],
      ["com.atproto.sync.getRepo", { did }]
    ] as const) {
      assert.strictEqual((await world.call(nsid, { params })).status, 200, nsid)
    }
    const status = "com.atproto.server.checkAccountStatus"
    assert.strictEqual(ok(await world.call(status, { auth: bearer(accessJwt) }))["validDid"], true)
  })

  it("createAccount accepts handle, address and invite code in any pasted form", async () => {
    const name = `pasted${world.next()}`
    const handles = writtenForms(`${name}.test`)
    const [first, ...others] = handles
    const inviteCode = ` ${(await invite()).toUpperCase()}\u200b`
    const email = `\u202a${name}@Mail.Example.com `
    const made = ok(await attempt({ handle: `\u202a@${first!.toUpperCase()}`, email, inviteCode }))
    assert.strictEqual(made["handle"], `${name}.test`)
    for (const handle of others) await refused({ handle }, "400 HandleNotAvailable")
    await refused({ email: `${name}@mail.example.com` }, "400 InvalidRequest")
    await refused({ inviteCode }, "400 InvalidInviteCode")
    const auth = bearer(made["accessJwt"])
    const input = { handle: ` at://More-${name}.TEST` }
    ok(await world.call("com.atproto.identity.updateHandle", { auth, input }))
    const session = ok(await world.call("com.atproto.server.getSession", { auth }))
    assert.deepInclude(session, { handle: `more-${name}.test`, email: `${name}@mail.example.com` })
    for (const identifier of [
      ...writtenForms(session["handle"]),
      ...pastedForms(session["did"]),
      `${email.toUpperCase()}\n`
    ]) {
      const signIn = { input: { identifier, password: "a good password" } }
      const { did } = ok(await world.call("com.atproto.server.createSession", signIn))
      assert.strictEqual(did, session["did"])
    }
  })

  it("createAccount rejects a wrong handle, password, address, invite, domain or DID by its error name", async () => {
    const { handle, email } = world.alice
    await refused({ handle: "a.test" }, "400 InvalidHandle")
    await refused({ handle: `${"a".repeat(19)}.test` }, "400 InvalidHandle")
    await refused({ handle: "two.labels.test" }, "400 InvalidHandle")
    await refused({ handle: "name.invalid" }, "400 InvalidHandle")
    await refused({ handle: "admin.test" }, "400 HandleNotAvailable")
    await refused({ handle }, "400 HandleNotAvailable")
    await refused({ handle: handle.toUpperCase() }, "400 HandleNotAvailable")
    await refused({ handle: "somebody.example.com" }, "400 UnsupportedDomain")
    await refused({ password: undefined }, "400 InvalidPassword")
    await refused({ password: "short" }, "400 InvalidPassword")
    await refused({ password: "x".repeat(257) }, "400 InvalidPassword")
    await refused({ email: undefined }, "400 InvalidRequest")
    await refused({ email: "no address" }, "400 InvalidRequest")
    await refused({ email }, "400 InvalidRequest")
    await refused({ email: email.toUpperCase() }, "400 InvalidRequest")
    await refused({ inviteCode: undefined }, "400 InvalidInviteCode")
    await refused({ inviteCode: "localhost-aaaaa-bbbbb" }, "400 InvalidInviteCode")
    await refused({ recoveryKey: "did:key:zNonsense" }, "400 InvalidRequest")
    await refused({ plcOp: {} }, "400 InvalidRequest")
    await refused({ did: "did:web:somebody.example.com" }, "401 AuthenticationRequired")
    await refused({ did: world.alice.did }, "401 AuthenticationRequired")
    await refused({ did: world.alice.did }, "400 AlreadyExists", basic())
  })

  it("an invite works as often as it allows, is returned by a failure, and stays used by its account", async () => {
    const inviteCode = await invite(2)
    assert.strictEqual(
      outcomeOf(await attempt({ inviteCode, handle: "x.y.test" })),
      "400 InvalidHandle"
    )
    assert.strictEqual(
      outcomeOf(await attempt({ inviteCode, handle: world.alice.handle })),
      "400 HandleNotAvailable"
    )
    assert.strictEqual(outcomeOf(await attempt({ inviteCode })), "ok")
    world.network.cut(true)
    const lost = await attempt({ inviteCode })
    world.network.cut(false)
    assert.strictEqual(outcomeOf(lost), "502 UpstreamFailure")
    assert.strictEqual(outcomeOf(await attempt({ inviteCode })), "ok")
    assert.strictEqual(outcomeOf(await attempt({ inviteCode })), "400 InvalidInviteCode")
    const nsid = "com.atproto.server.createInviteCodes"
    const input = { codeCount: 2, useCount: 1, forAccounts: [world.alice.did] }
    const [{ codes }] = ok(await world.call(nsid, { auth: basic(), input }))["codes"]
    const list = async (params = {}) =>
      ok(
        await world.call("com.atproto.server.getAccountInviteCodes", {
          auth: world.alice.auth,
          params
        })
      )["codes"].map(({ code }: { code: string }) => code)
    assert.sameMembers(await list(), codes)
    assert.strictEqual(outcomeOf(await attempt({ inviteCode: codes[0] })), "ok")
    assert.deepStrictEqual(await list({ includeUsed: "false" }), [codes[1]])
    const disable = { auth: basic(), input: { codes: [codes[1]] } }
    ok(await world.call("com.atproto.admin.disableInviteCodes", disable))
    assert.deepStrictEqual(await list(), [codes[0]])
  })

  it("of two concurrent sign-ups with one handle, one succeeds", async () => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => attempt({ handle: "coveted.test" }))
    )
    const outcomes = answers.map(outcomeOf)
    assert.lengthOf(
      outcomes.filter((outcome) => outcome === "ok"),
      1
    )
    assert.lengthOf(
      outcomes.filter((outcome) => outcome === "400 HandleNotAvailable"),
      4
    )
  })

  it("an account moves in with its own token, waits, and is active once the DID points here", async () => {
    const mover = await makeMover(world, 9)
    const other = await makeMover(world, 10)
    const move = async (token: string) =>
      attempt({ did: mover.did, handle: "mover.test" }, bearer(token))
    assert.strictEqual(
      outcomeOf(await move(await other.token(createAccount))),
      "401 AuthenticationRequired"
    )
    const forged = await other.token(createAccount, { iss: mover.did })
    assert.strictEqual(outcomeOf(await move(forged)), "401 BadJwtSignature")
    const { accessJwt, did, ...made } = ok(await move(await mover.token(createAccount)))
    const auth = bearer(accessJwt)
    assert.strictEqual(did, mover.did)
    const session = async () =>
      ok(await world.call("com.atproto.server.getSession", { auth }))["didDoc"]?.id
    // The official client would follow the document to the old host.
    assert.deepStrictEqual([made["didDoc"], await session()], [undefined, undefined])
    const repoStatus = { params: { did } }
    const status = await world.call("com.atproto.sync.getRepoStatus", repoStatus)
    assert.deepInclude(ok(status), { active: false, status: "deactivated" })
    const activate = () =>
      world.call("com.atproto.server.activateAccount", { method: "POST", auth })
    const early = await activate()
    assert.strictEqual(outcomeOf(early), "400 InvalidRequest")
    assert.include(early.body["message"], "DID document")
    const check = async () =>
      ok(await world.call("com.atproto.server.checkAccountStatus", { auth }))
    assert.deepInclude(await check(), { activated: false, validDid: false, indexedRecords: 0 })
    const { signingKey } = await world.inside(
      did,
      Effect.flatMap(AccountStore, (accounts) => accounts.get)
    )
    await mover.pointHere({ signing: signingKey.didKey, rotation })
    ok(await activate())
    assert.deepInclude(await check(), { activated: true, validDid: true })
    assert.strictEqual(await session(), did)
    // The old host's key is not in the DID any more.
    const again = await move(await mover.token(createAccount))
    assert.strictEqual(outcomeOf(again), "401 BadJwtSignature")
  })

  it("createAccount rejects a DID that can't be resolved or has ended", async () => {
    const ended = await makeMover(world, 11)
    const token = await ended.token(createAccount)
    await ended.tombstone()
    assert.strictEqual(outcomeOf(await attempt({ did: ended.did }, bearer(token))), "401 BadJwtIss")
    const params = { did: ended.did }
    const gone = await world.call("com.atproto.identity.resolveDid", { params })
    assert.strictEqual(outcomeOf(gone), "400 DidDeactivated")
  })
})

describe("handles of accounts", () => {
  it("a handle may contain two hyphens (punycode), and each hostname answers for its own account", async () => {
    const world = await startWorld()
    const bücher = await signUp(world, "xn--bcher-kva")
    const at = async (host: string) => {
      const url = `http://${host}/.well-known/atproto-did`
      const response = await world.handler(new Request(url))
      return response.status === 200 ? await response.text() : response.status
    }
    assert.strictEqual(await at(bücher.handle), bücher.did)
    assert.strictEqual(await at("alice.test"), world.alice.did)
    assert.strictEqual(await at("ALICE.test:8787"), world.alice.did)
    assert.strictEqual(await at("nobody.test"), 404)
    const params = { handle: "XN--bcher-kva.TEST" }
    const resolved = await world.call("com.atproto.identity.resolveHandle", { params })
    assert.strictEqual(ok(resolved)["did"], bücher.did)
    await world.close()
  })

  it("an own-domain handle must resolve to the DID, and describeRepo checks it again", async () => {
    const world = await startWorld()
    const person = {
      did: "did:web:custom.test",
      handle: "me.example.org",
      email: "me@example.org",
      password: "my own password"
    }
    const make = () => world.call(createAccount, { input: person, auth: basic() })
    assert.strictEqual(outcomeOf(await make()), "400 InvalidHandle")
    world.network.dns.set(person.handle, "did:web:somebody.else.com")
    assert.strictEqual(outcomeOf(await make()), "400 InvalidHandle")
    world.network.dns.set(person.handle, person.did)
    ok(await make())
    const described = async () =>
      ok(await world.call("com.atproto.repo.describeRepo", { params: { repo: person.handle } }))
    assert.deepInclude(await described(), {
      did: person.did,
      handle: person.handle,
      handleIsCorrect: true
    })
    await world.close()
  })

  it("the administrator may assign the host's own name", async () => {
    const host = await startHost({ PUBLIC_URL: "https://pds.host", DEV_ALLOW_HOSTS: "" })
    const person = {
      did: "did:web:pds.host",
      handle: "pds.host",
      email: "me@example.org",
      password: "my own password"
    }
    ok(await host.call(createAccount, { input: person, auth: basic() }))
    for (const [path, part] of [
      ["/.well-known/atproto-did", person.did],
      ["/.well-known/did.json", `"at://${person.handle}"`]
    ] as const) {
      const response = await host.handler(new Request(`https://pds.host${path}`))
      assert.include(await response.text(), part)
    }
    const params = { handle: "pds.host" }
    const resolved = await host.call("com.atproto.identity.resolveHandle", { params })
    assert.strictEqual(ok(resolved)["did"], person.did)
    await host.close()
  })

  it("an unassigned handle under our domains is never looked up elsewhere, and others are, by DNS", async () => {
    const world = await startWorld()
    const resolve = (handle: string) =>
      world.call("com.atproto.identity.resolveHandle", { params: { handle } })
    assert.strictEqual(outcomeOf(await resolve("nobody.test")), "400 HandleNotFound")
    assert.notInclude(world.network.asked.join(), "nobody")
    assert.strictEqual(outcomeOf(await resolve("stranger.example.org")), "400 HandleNotFound")
    assert.include(world.network.asked.join(), "stranger")
    world.network.dns.set("friend.example.org", "did:web:friend.example.org")
    assert.strictEqual(ok(await resolve("friend.example.org"))["did"], "did:web:friend.example.org")
    for (const local of ["localhost.localhost", "printer.local", "a.internal", "x.onion"]) {
      assert.strictEqual(outcomeOf(await resolve(local)), "400 HandleNotFound", local)
    }
    assert.notInclude(world.network.asked.join(), "printer")
    await world.close()
  })
})
