import { AtpAgent } from "@atproto/api"
import { readCar } from "@atproto/repo"
import { type ChildProcess, spawn } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { thumbprint } from "../../src/core/oauth/jwk.ts"
import { open } from "../../src/layers/host/sql/SqlStorageNode.ts"
import { publicApp } from "../support/http/oauthApp.ts"
import { bundledCommand } from "../support/server/bundledCommand.ts"
import { until } from "../support/server/server.ts"
import { type Desk, makeDesk } from "../cli/command.ts"
import { type Plc, type Reference, sharedPlc, startReference } from "./peers.ts"
import { newMover, type Mover, preferencesOf } from "./world.ts"

/** The digests of every file below a folder. */
const stateOf = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .toSorted()
    .filter((name) => statSync(join(folder, name)).isFile())
    .map(
      (name) =>
        `${name} ${createHash("sha256")
          .update(readFileSync(join(folder, name)))
          .digest("hex")}`
    )

describe("a reference PDS's data folder", () => {
  let plc: Plc
  let old: Reference
  let data: string
  let desk: Desk
  let server: ChildProcess | undefined

  beforeAll(async () => {
    plc = await sharedPlc()
    old = await startReference(plc)
    desk = makeDesk()
    data = mkdtempSync(join(tmpdir(), "nacre-adopted-"))
  })
  afterAll(async () => {
    server?.kill("SIGTERM")
    await old.stop()
    desk.remove()
    rmSync(data, { recursive: true, force: true })
  })

  const admin = (service: string) => {
    const agent = new AtpAgent({ service })
    agent.setHeader("authorization", `Basic ${btoa(`admin:${old.adminPassword}`)}`)
    return agent
  }

  const person = async (name: string): Promise<Mover> =>
    newMover({ plc, old, nacre: undefined as never, stop: async () => {} }, name, { posts: 3 })

  const headOf = async (service: string, did: string) => {
    const { data } = await new AtpAgent({ service }).com.atproto.sync.getRepo({ did })
    const car = await readCar(data)
    return { root: car.roots[0]!.toString(), blocks: [...car.blocks.cids()].map(String).toSorted() }
  }

  const adopt = async (...flags: ReadonlyArray<string>) => {
    const ran = await desk.spawn(["adopt", old.folder, "--data", data, "--json", ...flags])
    assert.strictEqual(ran.code, 0, ran.stderr)
    return ran.json
  }

  /** Connects an OAuth app, as the stopped server would have stored it. */
  const connectApp = async (did: string) => {
    const app = await publicApp({
      origin: old.publicUrl,
      ask: async (path, { method, body, headers, auth } = {}) => {
        const response = await fetch(`${old.publicUrl}${path}`, {
          method: method ?? (body === undefined ? "GET" : "POST"),
          headers: { ...headers, ...(auth === undefined ? {} : { authorization: auth }) },
          ...(body === undefined ? {} : { body })
        })
        const text = await response.text()
        const bytes = new TextEncoder().encode(text)
        const { status, headers: got } = response
        return { status, headers: got, bytes, text, body: text === "" ? {} : JSON.parse(text) }
      },
      beneath: () => Promise.reject(new Error("nobody signs in here")),
      now: () => Date.now()
    })
    const refreshToken = `ref-${randomBytes(32).toString("hex")}`
    const jkt = await thumbprint(app.dpopKey.publicJwk)
    const database = open(join(old.folder, "account.sqlite"))
    const at = new Date(Date.now() - 60_000).toISOString()
    const values = {
      did,
      tokenId: `tok-${randomBytes(16).toString("hex")}`,
      createdAt: at,
      updatedAt: at,
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      clientId: app.clientId,
      clientAuth: JSON.stringify({ method: "none" }),
      parameters: JSON.stringify({ client_id: app.clientId, scope: app.scope, dpop_jkt: jkt }),
      currentRefreshToken: refreshToken
    }
    const names = Object.keys(values)
    database
      .prepare(`INSERT INTO token (${names}) VALUES (${names.map(() => "?")})`)
      .run(...Object.values(values))
    database.close()
    return { app, refreshToken }
  }

  const serve = async () => {
    const url = new URL(old.publicUrl)
    const { program, env } = await bundledCommand()
    server = spawn(process.execPath, [program, "serve", "--data", data, "--port", url.port], {
      env: { PATH: process.env["PATH"], DEV_ALLOW_HOSTS: new URL(plc.url).host, ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    for (const stream of [server.stdout!, server.stderr!]) {
      stream.on("data", (chunk) => void (output += String(chunk)))
    }
    await until("the server", () => {
      if (server?.exitCode !== null) throw new Error(output)
      return output.includes("Nacre serves")
    })
  }

  it("becomes this server's, with the same heads, passwords, sessions and standings", async () => {
    const alice = await person("alice")
    const bob = await person("bob")
    const carol = await person("carol")
    const { data: appPassword } = await alice.agent.com.atproto.server.createAppPassword({
      name: "an app",
      privileged: true
    })
    const app = new AtpAgent({ service: old.publicUrl })
    await app.login({ identifier: alice.did, password: appPassword.password })
    await bob.agent.com.atproto.server.deactivateAccount({})
    const didOf = ({ did }: Mover) => ({ $type: "com.atproto.admin.defs#repoRef", did }) as const
    await admin(old.publicUrl).com.atproto.admin.updateSubjectStatus({
      subject: didOf(carol),
      takedown: { applied: true, ref: "case-7" }
    })
    const { data: hidden } = await alice.agent.com.atproto.repo.listRecords({
      repo: alice.did,
      collection: "app.bsky.feed.post",
      limit: 1
    })
    await admin(old.publicUrl).com.atproto.admin.updateSubjectStatus({
      subject: { $type: "com.atproto.repo.strongRef", ...hidden.records[0]! },
      takedown: { applied: true, ref: "case-8" }
    })
    const { data: invite } = await admin(old.publicUrl).com.atproto.server.createInviteCode({
      useCount: 3
    })
    const sessions = { own: alice.agent.session!, app: app.session! }
    const before = await headOf(old.publicUrl, alice.did)

    await old.close()
    const oauthApp = await connectApp(alice.did)
    const untouched = stateOf(old.folder)
    writeFileSync(
      join(data, "pds.env"),
      Object.entries(old.variables)
        .map(([name, value]) => `${name}=${value}`)
        .join("\n")
    )
    const dry = await adopt("--env", join(data, "pds.env"), "--dry-run")
    assert.deepStrictEqual(dry.faults, [])
    assert.deepStrictEqual(readdirSync(data), ["pds.env"])
    const adopted = await adopt("--env", join(data, "pds.env"))
    assert.strictEqual(adopted.accounts.length, 3)
    assert.deepStrictEqual(stateOf(old.folder), untouched)

    await serve()
    assert.deepStrictEqual(await headOf(old.publicUrl, alice.did), before)
    const here = new AtpAgent({ service: old.publicUrl })
    await here.login({ identifier: "alice.old.test", password: alice.password })
    const { data: set } = await here.app.bsky.actor.getPreferences()
    assert.includeDeepMembers(set.preferences, [...preferencesOf("alice")])
    for (const { cid, bytes } of alice.images) {
      const { data: blob } = await here.com.atproto.sync.getBlob({ did: alice.did, cid })
      assert.deepStrictEqual(new Uint8Array(blob), new Uint8Array(bytes))
    }
    const known = new AtpAgent({ service: old.publicUrl })
    for (const session of [sessions.own, sessions.app]) {
      await known.resumeSession(session)
      await known.post({ text: "with the old session" })
    }
    await known.login({ identifier: alice.did, password: appPassword.password })
    await known.login({ identifier: alice.did, password: appPassword.password })

    const { text, body: tokens } = await oauthApp.app.refresh(oauthApp.refreshToken)
    assert.strictEqual(tokens["sub"], alice.did, text)
    const called = await oauthApp.app.call("com.atproto.server.getSession", tokens["access_token"])
    assert.strictEqual(called.body["did"], alice.did)

    const { data: repos } = await here.com.atproto.sync.listRepos()
    const statusOf = ({ did }: Mover) => repos.repos.find((repo) => repo.did === did)?.status
    assert.strictEqual(repos.repos.length, 3)
    assert.deepStrictEqual([alice, bob, carol].map(statusOf), [
      undefined,
      "deactivated",
      "takendown"
    ])
    const { data: status } = await admin(old.publicUrl).com.atproto.admin.getSubjectStatus({
      did: carol.did
    })
    assert.strictEqual(status.takedown?.ref, "case-7")
    const path = hidden.records[0]!.uri.split("/")
    const gone = await here.com.atproto.repo
      .getRecord({ repo: alice.did, collection: path[3]!, rkey: path[4]! })
      .then(
        () => "shown",
        () => "hidden"
      )
    assert.strictEqual(gone, "hidden")
    const back = new AtpAgent({ service: old.publicUrl })
    await back.login({ identifier: bob.did, password: bob.password })
    await back.com.atproto.server.activateAccount()
    await back.post({ text: "here again" })
    const { data: codes } = await admin(old.publicUrl).com.atproto.admin.getInviteCodes()
    assert.deepInclude(
      codes.codes.map(({ code, available }) => ({ code, available })),
      { code: invite.code, available: 3 }
    )
  })
})
