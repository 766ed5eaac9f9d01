import { createHmac } from "node:crypto"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { verifyRepo } from "../../../src/core/repo/verifyRepo.ts"
import { adopt, type Adoption } from "../../../src/layers/accounts/adopt/adopt.ts"
import { markerOf } from "../../../src/layers/accounts/adopt/adoption.ts"
import { open } from "../../../src/layers/host/sql/SqlStorageNode.ts"
import { fileOf } from "../../../src/layers/objects/AccountsFiles.ts"
import { env, origin, type RunningBox, startBox } from "./boxWorld.ts"
import { didKeyOf, makeReference, type ReferenceFolder } from "./referenceFolder.ts"

const jwtSecret = "a secret of some other length than thirty-two bytes"

let base: string
let old: ReferenceFolder
let data: string
let running: RunningBox | undefined

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "nacre-adopt-test-"))
  old = makeReference(join(base, "old"))
  data = join(base, "data")
  running = undefined
})
afterEach(async () => {
  await running?.stop()
  rmSync(base, { recursive: true, force: true })
})

const adoption = (more: Partial<Adoption> = {}): Adoption => ({
  source: old.folder,
  variables: { PDS_JWT_SECRET: jwtSecret },
  folder: data,
  env,
  isDry: false,
  skip: new Set(),
  onAccount: () => Effect.void,
  ...more
})

const run = (more?: Partial<Adoption>) => Effect.runPromise(adopt(adoption(more)))

/** The message of a run that fails. */
const refusal = async (more?: Partial<Adoption>): Promise<string> => {
  const exit = await Effect.runPromiseExit(adopt(adoption(more)))
  assert.isTrue(Exit.isFailure(exit))
  return Exit.isFailure(exit) ? (Cause.squash(exit.cause) as Error).message : ""
}

const start = async () => (running = await startBox(data))

const signIn = (box: RunningBox, identifier: string, password: string) =>
  box.call("com.atproto.server.createSession", { input: { identifier, password } })

const filesOf = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .toSorted()
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => `${name} ${readFileSync(join(folder, name)).toString("base64")}`)

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")

/** A refresh token of the reference, which has no `sid`. */
const refreshToken = (did: string, jti: string, secret = jwtSecret): string => {
  const seconds = Math.floor(Date.now() / 1000)
  const claims = { scope: "com.atproto.refresh", aud: "did:web:localhost%3A8787", sub: did, jti }
  const signed = `${part({ typ: "refresh+jwt", alg: "HS256" })}.${part({ ...claims, iat: seconds, exp: seconds + 1000 })}`
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`
}

const refresh = (box: RunningBox, token: string) =>
  box.call("com.atproto.server.refreshSession", { auth: `Bearer ${token}`, input: {} })

describe("nacre adopt", () => {
  it("an adopted account keeps its head, its records, its blobs and its preferences", async () => {
    const alice = old.make({ name: "alice", posts: 40 })
    old.close()
    const report = await run()
    assert.deepStrictEqual(report.faults, [])
    const box = await start()
    const response = await box.handler(
      new Request(`${origin}/xrpc/com.atproto.sync.getRepo?did=${alice.did}`)
    )
    const car = new Uint8Array(await response.arrayBuffer())
    const repo = await verifyRepo(car, { did: alice.did, signingKey: didKeyOf("alice") })
    assert.deepStrictEqual(
      [...repo.records].map(([path, { cid }]) => [path, cid.toString()]),
      [...alice.records].toSorted().map(([path, cid]) => [path, cid.toString()])
    )
    const head = await box.call(`com.atproto.sync.getLatestCommit?did=${alice.did}`)
    assert.deepStrictEqual(head, { cid: alice.commit.toString(), rev: alice.rev })
    const blob = await box.handler(
      new Request(`${origin}/xrpc/com.atproto.sync.getBlob?did=${alice.did}&cid=${alice.blob.cid}`)
    )
    assert.deepStrictEqual(new Uint8Array(await blob.arrayBuffer()), alice.blob.bytes)
    const { accessJwt } = await signIn(box, "alice.test", "alice")
    const auth = `Bearer ${accessJwt}`
    const { preferences } = await box.call("app.bsky.actor.getPreferences", { auth })
    assert.deepStrictEqual(preferences, [
      { $type: "app.bsky.actor.defs#adultContentPref", enabled: true }
    ])
    const missing = await box.call("com.atproto.repo.listMissingBlobs", { auth })
    assert.deepStrictEqual(missing.blobs, [])
  })

  it("an adopted password works as it was typed, in whatever Unicode form", async () => {
    const typed = "ﬁne words, eﬃciently ½"
    assert.notStrictEqual(typed.normalize("NFKC"), typed)
    old.make({ name: "alice", password: typed })
    old.close()
    await run()
    const box = await start()
    await signIn(box, "alice@example.com", typed)
    const refused = await signIn(box, "alice.test", "another").catch(
      (error: Error) => error.message
    )
    assert.include(refused, "401")
  })

  it("an adopted app password works, and gets this server's hash at its first use", async () => {
    const { did } = old.make({ name: "alice" })
    old.appPassword(did, "phone", "abcd-efgh-2345-mnop")
    old.close()
    await run()
    const box = await start()
    const wrong = await signIn(box, did, "abcd-efgh-2345-mnoq").catch(
      (error: Error) => error.message
    )
    assert.include(wrong, "401")
    await signIn(box, did, "abcd-efgh-2345-mnop")
    await signIn(box, did, "abcd-efgh-2345-mnop")
    await box.stop()
    running = undefined
    const database = open(fileOf(join(data, "accounts"), did))
    const hashes = database.prepare("SELECT hash FROM app_password").all()
    database.close()
    assert.match(String(hashes[0]?.["hash"]), /^[\w-]{43}$/)
  })

  it("an adopted session is refreshed by the old server's token, and by no other", async () => {
    const { did } = old.make({ name: "alice" })
    old.session(did, "the id of a token", Date.now() + 3_600_000)
    old.session(did, "an expired one", Date.now() - 1)
    old.close()
    const report = await run()
    assert.strictEqual(report.accounts[0]?.sessions, 1)
    const box = await start()
    const { accessJwt, refreshJwt } = await refresh(box, refreshToken(did, "the id of a token"))
    const session = await box.call("com.atproto.server.getSession", { auth: `Bearer ${accessJwt}` })
    assert.strictEqual(session.did, did)
    const again = await refresh(box, refreshToken(did, "the id of a token"))
    assert.strictEqual(
      JSON.parse(atob(again.refreshJwt.split(".")[1]!)).jti,
      JSON.parse(atob(refreshJwt.split(".")[1]!)).jti
    )
    await refresh(box, refreshJwt)
    for (const token of [
      refreshToken(did, "an expired one"),
      refreshToken(did, "a made up one"),
      refreshToken(did, "the id of a token", "another secret")
    ]) {
      assert.include(await refresh(box, token).catch((error: Error) => error.message), "400")
    }
  })

  it("takedowns, deactivations and invites are kept, and a past deletion date deletes nothing", async () => {
    const past = "2025-06-01T00:00:00.000Z"
    old.make({ name: "alice", deactivatedAt: past, deleteAfter: past })
    const { did } = old.make({ name: "bob", takedown: "case-1" })
    old.accounts.exec(
      "INSERT INTO invite_code VALUES ('pds-test-abcde-fghij', 2, 0, 'admin', 'admin', '2025-01-01T00:00:00.000Z')"
    )
    old.accounts
      .prepare("INSERT INTO invite_code_use VALUES ('pds-test-abcde-fghij', ?, ?)")
      .run(did, past)
    old.close()
    const { accounts } = await run()
    assert.deepStrictEqual(
      accounts.map(({ status }) => status),
      ["deactivated", "takendown"]
    )
    assert.include(accounts[0]?.letGo.join(), "its deletion date")
    const box = await start()
    const auth = `Basic ${btoa(`admin:${env.ADMIN_PASSWORD}`)}`
    const { repos } = await box.call("com.atproto.sync.listRepos")
    assert.sameDeepMembers(
      repos.map((repo: { did: string; status?: string }) => [repo.did, repo.status]),
      [
        ["did:web:alice.test", "deactivated"],
        ["did:web:bob.test", "takendown"]
      ]
    )
    const { takedown } = await box.call(`com.atproto.admin.getSubjectStatus?did=${did}`, { auth })
    assert.deepStrictEqual(takedown, { applied: true, ref: "case-1" })
    const { codes } = await box.call("com.atproto.admin.getInviteCodes", { auth })
    assert.deepInclude(codes[0], { code: "pds-test-abcde-fghij", available: 2 })
    assert.strictEqual(codes[0].uses[0].usedBy, did)
    const { accessJwt } = await signIn(box, "alice.test", "alice")
    await box.call("com.atproto.server.activateAccount", { auth: `Bearer ${accessJwt}`, input: {} })
  })

  it("a dry run verifies everything and writes nothing, on either side", async () => {
    old.make({ name: "alice" })
    old.close()
    const before = filesOf(old.folder)
    const report = await run({ isDry: true })
    assert.deepStrictEqual(report.faults, [])
    assert.isFalse(existsSync(data))
    assert.deepStrictEqual(filesOf(old.folder), before)
  })

  it("adopt reads a journal that the old server left, and doesn't change it", async () => {
    old.make({ name: "alice" })
    // Still open: the accounts are in the journal.
    assert.isAbove(statSync(join(old.folder, "account.sqlite-wal")).size, 0)
    const before = filesOf(old.folder)
    const { accounts } = await run()
    assert.strictEqual(accounts.length, 1)
    assert.deepStrictEqual(filesOf(old.folder), before)
    old.close()
  })

  it.each([
    ["a lost record", "DELETE FROM record WHERE rkey <> 'self'", "its records are not those"],
    ["a lost block", "DELETE FROM repo_block WHERE size < 100", "is missing"],
    ["a changed record", "UPDATE repo_block SET content = x'a0' WHERE size < 100", "digest"],
    ["another commit's rev", "UPDATE repo_root SET rev = '3aaaaaaaaaaaa'", "another rev"],
    ["no repo", "DELETE FROM repo_root", "its store has no repo"]
  ])(
    "an account with %s is named, and the server waits until it is left out",
    async (_, sql, problem) => {
      const bad = old.make({ name: "alice" })
      old.make({ name: "bob" })
      old.close()
      const store = open(bad.store)
      store.exec(sql)
      store.close()
      const first = await run()
      assert.deepStrictEqual(
        first.accounts.map(({ handle }) => handle),
        ["bob.test"]
      )
      assert.strictEqual(first.faults[0]?.did, bad.did)
      assert.include(first.faults[0]?.problem, problem)
      assert.isTrue(existsSync(markerOf(data)))
      const second = await run({ skip: new Set([bad.did]) })
      assert.deepStrictEqual(second.faults, [])
      assert.deepStrictEqual(second.doneBefore, ["did:web:bob.test"])
      assert.deepStrictEqual(second.skipped, [bad.did])
      assert.isFalse(existsSync(markerOf(data)))
      assert.isFalse(existsSync(fileOf(join(data, "accounts"), bad.did)))
    }
  )

  it("a run that was cut off continues, and copies no account twice", async () => {
    const names = ["alice", "bob", "carol"]
    const made = names.map((name) => old.make({ name }))
    old.close()
    const isCut = await refusal({
      onAccount: (done) => (done === 2 ? Effect.die(new Error("cut off")) : Effect.void)
    })
    assert.strictEqual(isCut, "cut off")
    assert.isTrue(existsSync(markerOf(data)))
    const file = fileOf(join(data, "accounts"), made[0]!.did)
    const before = statSync(file)
    const report = await run()
    assert.deepStrictEqual(report.doneBefore, [made[0]!.did, made[1]!.did])
    assert.strictEqual(report.accounts.length, 1)
    assert.strictEqual(statSync(file).ino, before.ino)
    const box = await start()
    for (const name of names) await signIn(box, `${name}.test`, name)
  })

  it("a damaged blob is named, and its owner can upload it again", async () => {
    const alice = old.make({ name: "alice" })
    old.close()
    rmSync(join(old.folder, "blocks", alice.did, alice.blob.cid))
    const { accounts } = await run()
    assert.deepStrictEqual(accounts[0]?.missingBlobs, [alice.blob.cid])
    const box = await start()
    const { accessJwt } = await signIn(box, "alice.test", "alice")
    const auth = `Bearer ${accessJwt}`
    const { blobs } = await box.call("com.atproto.repo.listMissingBlobs", { auth })
    assert.strictEqual(blobs[0].cid, alice.blob.cid)
    const upload = await box.handler(
      new Request(`${origin}/xrpc/com.atproto.repo.uploadBlob`, {
        method: "POST",
        headers: { authorization: auth, "content-type": "image/png" },
        body: new Uint8Array(alice.blob.bytes)
      })
    )
    assert.strictEqual(upload.status, 200)
    await upload.text()
    const after = await box.call("com.atproto.repo.listMissingBlobs", { auth })
    assert.deepStrictEqual(after.blobs, [])
  })

  it("the stream continues above the old sequence numbers, with every account", async () => {
    old.close()
    rmSync(old.folder, { recursive: true })
    old = makeReference(old.folder, Date.now() * 1000 + 1_000_000_000_000)
    old.make({ name: "alice" })
    old.close()
    const { seq } = await run()
    const database = open(join(data, "stream.sqlite"))
    const rows = database.prepare("SELECT seq, did FROM event ORDER BY seq").all()
    database.close()
    assert.deepStrictEqual(
      rows.map(({ seq: number }) => Number(number) - seq),
      [1, 2]
    )
  })

  it("the command refuses a server whose keys or blobs are elsewhere, and a folder that is in use", async () => {
    old.make({ name: "alice" })
    old.close()
    const variable = (name: string) => refusal({ variables: { [name]: "x" } })
    assert.include(await variable("PDS_ENTRYWAY_URL"), "entryway")
    assert.include(await variable("PDS_PLC_ROTATION_KEY_KMS_KEY_ID"), "key management")
    assert.include(await variable("PDS_BLOBSTORE_S3_BUCKET"), "bucket")
    const elsewhere = { PDS_BLOBSTORE_DISK_LOCATION: "/nowhere/blocks" }
    assert.include(await refusal({ variables: elsewhere }), "no folder /nowhere/blocks")
    assert.include(await refusal({ source: base }), "account.sqlite")
    assert.include(await refusal({ env: {} }), "MASTER_KEY")
    await start()
    assert.include(await refusal(), "holds a server's data")
  })

  it("the command refuses to continue after the old server wrote again", async () => {
    const bad = old.make({ name: "alice" })
    old.close()
    rmSync(bad.store)
    await run()
    const accounts = open(join(old.folder, "account.sqlite"))
    accounts.exec("DELETE FROM account")
    accounts.close()
    assert.include(await refusal(), "The old server wrote to its data")
  })
})
