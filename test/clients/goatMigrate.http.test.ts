import { assert, describe, it } from "@effect/vitest"
import { decode, goat, shapes } from "../support/http/goat.ts"
import { account, collection, postPicture } from "../support/http/goatPeople.ts"
import { codeFor } from "../support/http/httpCodes.ts"
import { basic, serviceDid, startHost } from "../support/http/httpHost.ts"
import { ok, settled } from "../support/http/httpWorld.ts"
import { decodeFrame } from "../support/server/serverFrames.ts"

const server = (name: string) => `com.atproto.server.${name}`
const identity = (name: string) => `com.atproto.identity.${name}`
const repo = (name: string) => `com.atproto.repo.${name}`
const sync = (name: string) => `com.atproto.sync.${name}`

describe("goat account migrate", () => {
  it("goat moves an account between two Nacre servers", async () => {
    const from = await startHost()
    const shared = {
      PLC_URL: from.network.env["PLC_URL"]!,
      DEV_ALLOW_HOSTS: from.network.env["DEV_ALLOW_HOSTS"]!
    }
    const to = await startHost({
      ...shared,
      PUBLIC_URL: "http://localhost:8788",
      MASTER_KEY: Buffer.alloc(32, 8).toString("base64url"),
      PLC_ROTATION_KEY: "43".repeat(32)
    })
    const old = goat(from)
    const now = goat(to, "http://localhost:8788")
    const who = await account(from)
    const { did, session, handle } = who
    const { cid, body, uri } = await postPicture(from, who)
    const token = await codeFor(from, did, "plc_operation")

    const described = await now.send("GET", server("describeServer"))
    const aud = described.json.did
    assert.notStrictEqual(aud, serviceDid)
    const exp = Math.floor(from.now() / 1000) + 60
    const asked = { params: { aud, exp, lxm: server("createAccount") } }
    const auth = await old.send("GET", server("getServiceAuth"), asked, session)
    const invite = ok(
      await to.call(server("createInviteCode"), {
        auth: basic(),
        input: { useCount: 1 }
      })
    )
    const input = {
      did,
      email: "moved@mail.example.com",
      handle,
      inviteCode: invite["code"],
      password: "the new password"
    }
    const by = { access: auth.json.token, refresh: "" }
    const born = await now.send("POST", server("createAccount"), { input }, by)
    decode(born.json, shapes.createAccount, ["did", "accessJwt", "refreshJwt"])
    const login = { identifier: did, password: input.password }
    const first = { access: born.json.accessJwt, refresh: born.json.refreshJwt }
    const signedIn = await now.send("POST", server("createSession"), { input: login }, first)
    const moved = { access: signedIn.json.accessJwt, refresh: signedIn.json.refreshJwt }

    const { bytes } = await old.send("GET", sync("getRepo"), { params: { did } }, session)
    const car = { body: bytes, type: "application/vnd.ipld.car" }
    await now.send("POST", repo("importRepo"), car, moved)
    const actor = "app.bsky.actor"
    const { json: preferences } = await old.send("GET", `${actor}.getPreferences`, {}, session)
    await now.send("POST", `${actor}.putPreferences`, { input: preferences }, moved)
    const listed = await old.send(
      "GET",
      sync("listBlobs"),
      { params: { did, limit: 100 } },
      session
    )
    for (const each of listed.json.cids) {
      const params = { cid: each, did }
      const blob = await old.send("GET", sync("getBlob"), { params }, session)
      const upload = { body: blob.bytes, type: "*/*" }
      await now.send("POST", repo("uploadBlob"), upload, moved)
    }
    const status = await now.send("GET", server("checkAccountStatus"), {}, moved)
    decode(status.json, shapes.checkAccountStatus, Object.keys(shapes.checkAccountStatus))
    assert.deepInclude(status.json, { activated: false, expectedBlobs: 1, importedBlobs: 1 })

    const creds = await now.send("GET", identity("getRecommendedDidCredentials"), {}, moved)
    const change = { ...creds.json, token }
    const signed = await old.send("POST", identity("signPlcOperation"), { input: change }, session)
    const operation = { operation: signed.json.operation }
    await now.send("POST", identity("submitPlcOperation"), { input: operation }, moved)
    await now.send("POST", server("activateAccount"), {}, moved)
    await old.send("POST", server("deactivateAccount"), { input: {} }, session)

    const rkey = uri.split("/").at(-1)!
    await now.send("GET", repo("getRecord"), { params: { collection, repo: did, rkey } })
    const blob = await now.send("GET", sync("getBlob"), { params: { cid, did } })
    assert.deepStrictEqual(blob.bytes, body)
    await settled(to, did)
    const frames = to.subscribe(0)
    await to.delivered()
    const types = frames.map((frame) => decodeFrame(frame).type)
    assert.deepStrictEqual(types, ["#identity", "#account", "#identity", "#sync"])
    await from.close()
    await to.close()
  })
})
