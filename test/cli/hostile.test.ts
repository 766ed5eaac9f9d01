import { afterEach, assert, describe, it } from "@effect/vitest"
import { readdirSync, writeFileSync } from "node:fs"
import { carBytes } from "../../src/core/repo/car.ts"
import { cidForCbor, cidForRaw } from "../../src/core/repo/cid.ts"
import { encode } from "../../src/core/repo/cbor.ts"
import { signedCommit } from "../../src/core/repo/commit.ts"
import { nextTid } from "../../src/core/repo/tid.ts"
import { type Answers, commands, type Hostile, startHostile } from "../support/hostileServer.ts"
import { type Desk, makeDesk, type Ran } from "./command.ts"

let server: Hostile
let desk: Desk
afterEach(async () => {
  desk.remove()
  await server.stop()
})

const did = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
const handle = "alice.test"
const rev = nextTid(undefined, 1_700_000_000_000_000, 1)
const node = encode({ e: [], l: null })
const commit = signedCommit({ did, data: cidForCbor(node), rev, sig: new Uint8Array(64) })
const jwt = `x.${Buffer.from(JSON.stringify({ exp: 9e9 })).toString("base64url")}.x`
const tokens = { did, handle, accessJwt: jwt, refreshJwt: jwt }
const credentials = { NACRE_PASSWORD: "x", NACRE_ADMIN_PASSWORD: "x", NACRE_NEW_PASSWORD: "x" }

/** A server from which everything can be exported, except for overridden answers. */
const sound: Answers = {
  "com.atproto.server.createSession": tokens,
  "com.atproto.server.deleteSession": {},
  "com.atproto.sync.getLatestCommit": { cid: String(commit.cid), rev },
  "com.atproto.sync.getRepo": carBytes(commit.cid, [
    commit,
    { cid: cidForCbor(node), bytes: node }
  ]),
  "com.atproto.sync.listBlobs": { cids: [] },
  "app.bsky.actor.getPreferences": { preferences: [] }
}

const run = async (
  answers: Answers,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
): Promise<Ran> => {
  server = await startHostile(answers)
  desk = makeDesk()
  return desk.run([...args, "--server", server.url], {
    PLC_URL: server.url,
    ...credentials,
    ...env
  })
}

/** Every file below the folder that the command ran in. */
const files = (): ReadonlyArray<string> =>
  readdirSync(desk.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .toSorted()

/** Checks that nothing controls the terminal, and that the server starts no line. */
const assertHarmless = ({ stdout, stderr }: Ran) => {
  for (const text of [stdout, stderr]) {
    // oxlint-disable-next-line no-control-regex
    assert.notMatch(text, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202A-\u202E]/)
    assert.notMatch(text, /^ok {2}all is well/m)
  }
}

describe("nacre export from a hostile server", () => {
  it("nacre export uses only CIDs as file names, and lists the missing blobs", async () => {
    const names = ["../../escaped", "/tmp/absolute", `..${commands}`, "..", ""]
    const exported = await run({ ...sound, "com.atproto.sync.listBlobs": { cids: names } }, [
      "export",
      "deep/backup",
      "--account",
      handle
    ])
    assert.strictEqual(exported.code, 1)
    assert.match(exported.stderr, /5 of 5 blobs couldn't be fetched/)
    assertHarmless(exported)
    assert.deepStrictEqual(files(), ["export.json", "preferences.json", "repo.car"])
    assert.isFalse(server.asked.some((url) => url.includes("getBlob")))
  })

  it("nacre export keeps no blob whose bytes don't match its CID", async () => {
    const cids = [String(cidForRaw(new TextEncoder().encode("promised")))]
    const exported = await run(
      {
        ...sound,
        "com.atproto.sync.listBlobs": { cids },
        "com.atproto.sync.getBlob": new TextEncoder().encode("sent")
      },
      ["export", "backup", "--account", handle]
    )
    assert.strictEqual(exported.code, 1)
    assert.match(exported.stderr, /1 of 1 blobs couldn't be fetched/)
    assert.deepStrictEqual(files(), ["export.json", "preferences.json", "repo.car"])
  })

  it("nacre export keeps no repo of another account", async () => {
    const exported = await run(
      { ...sound, "com.atproto.sync.getRepo": new TextEncoder().encode(commands) },
      ["export", "backup", "--account", handle]
    )
    assert.strictEqual(exported.code, 1)
    assertHarmless(exported)
    assert.deepStrictEqual(files(), ["export.json"])
  })

  it("nacre export rejects a session without a valid DID or handle", async () => {
    for (const wrong of [
      { did: `did:plc:${commands}` },
      { handle: commands },
      { accessJwt: "a\r\nb: c" }
    ]) {
      const exported = await run(
        { ...sound, "com.atproto.server.createSession": { ...tokens, ...wrong } },
        ["export", "backup", "--account", handle]
      )
      assert.strictEqual(exported.code, 1)
      assert.match(exported.stderr, /createSession has an unexpected form/)
      assertHarmless(exported)
      assert.deepStrictEqual(files(), [])
      desk.remove()
      await server.stop()
    }
  })
})

const at = { createdAt: 1_700_000_000_000, indexedAt: "2026-01-01T00:00:00Z" }

/** Each command with a server's poisoned answers: terminal commands in every text. */
const poisoned: ReadonlyArray<readonly [args: ReadonlyArray<string>, answers: Answers]> = [
  [
    ["account", "list"],
    {
      "com.atproto.admin.searchAccounts": {
        accounts: [
          { did, handle, email: commands, ...at, indexedAt: commands, deactivatedAt: commands }
        ]
      }
    }
  ],
  [
    ["account", "show", did],
    {
      "com.atproto.admin.getAccountInfo": {
        did,
        handle,
        email: commands,
        indexedAt: commands,
        deactivatedAt: commands,
        deleteAfter: commands
      },
      "com.atproto.admin.getSubjectStatus": {},
      "com.atproto.sync.getRepoStatus": { active: false, status: commands, rev }
    }
  ],
  [
    ["account", "codes", did],
    { "admin/codes": { did, codes: [{ purpose: commands, code: "a-code", expiresAt: 9e12 }] } }
  ],
  [
    ["invite", "list"],
    {
      "com.atproto.admin.getInviteCodes": {
        codes: [
          {
            code: "a-code",
            available: 1,
            disabled: false,
            forAccount: commands,
            createdAt: commands,
            uses: []
          }
        ]
      }
    }
  ],
  [
    ["passkey", "list", "--account", did],
    {
      ...sound,
      "manage/passkeys": { did, handle, passkeys: [{ id: "an-id", name: commands, createdAt: 1 }] }
    }
  ],
  [
    ["identity", handle],
    {
      "com.atproto.server.describeServer": { did, availableUserDomains: [".test"] },
      "com.atproto.identity.resolveHandle": { did },
      "com.atproto.identity.resolveDid": {
        didDoc: {
          id: did,
          alsoKnownAs: [`at://${commands}`],
          service: [
            {
              id: "#atproto_pds",
              type: "AtprotoPersonalDataServer",
              serviceEndpoint: `https://pds.example/${commands}`
            }
          ]
        }
      }
    }
  ],
  [
    ["status"],
    {
      ready: {
        ready: false,
        version: commands,
        checks: { d1: commands },
        warnings: [{ variable: "A_NAME", message: commands }]
      },
      "com.atproto.server.describeServer": { did, availableUserDomains: [".test"] },
      "admin/relays": {
        seq: 1,
        places: [],
        relays: [{ relay: "https://relay.example", ok: false, message: commands }],
        readers: [
          {
            since: 1,
            seen: 1,
            seq: 1,
            behind: 0,
            connected: true,
            userAgent: commands,
            network: commands
          }
        ]
      }
    }
  ],
  [["account", "activate", did], {}],
  [["export", "backup", "--account", did], {}]
]

describe("the output of a command with a hostile server", () => {
  for (const [args, answers] of poisoned) {
    it(`nacre ${args.join(" ")} prints a hostile server's control characters as escapes`, async () => {
      const ran = await run(answers, args, { RELAYS: "none" })
      assertHarmless(ran)
      // The text was shown, or quoted in an error.
      assert.match(ran.stdout + ran.stderr, /\\u001b/)
    })
  }
})

describe("a folder that names blobs by other names", () => {
  it("nacre import sends no file whose name isn't a CID", async () => {
    const missing = ["../../secret", String(cidForRaw(new Uint8Array(1)))]
    server = await startHostile({
      ...sound,
      "com.atproto.repo.listMissingBlobs": { blobs: missing.map((cid) => ({ cid })) },
      "com.atproto.server.checkAccountStatus": {
        activated: true,
        validDid: true,
        repoCommit: String(commit.cid),
        repoRev: rev,
        repoBlocks: 1,
        indexedRecords: 0,
        privateStateValues: 0,
        expectedBlobs: 2,
        importedBlobs: 0
      },
      "app.bsky.actor.putPreferences": {}
    })
    desk = makeDesk()
    const env = { ...credentials, PLC_URL: server.url }
    const where = ["--account", handle, "--server", server.url]
    assert.strictEqual((await desk.run(["export", "backup", ...where], env)).code, 0)
    writeFileSync(desk.path("secret"), "mine")
    const imported = await desk.run(["import", "backup", "--without-repo", "--json", ...where], env)
    assert.strictEqual(imported.code, 0, imported.stderr)
    assert.deepStrictEqual(imported.json.missingBlobs, missing)
    assert.isFalse(server.asked.some((url) => url.includes("uploadBlob")))
  })
})
