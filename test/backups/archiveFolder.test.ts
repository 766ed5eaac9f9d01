import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { openFolder } from "../../src/cli/backup/folder.ts"
import { unpack } from "../../src/cli/backup/unzip.ts"
import { zipOf } from "../support/zipFiles.ts"

const cid = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"

describe("an unpacked archive of the account's page", () => {
  it.effect("an unpacked archive is a folder that import and recover read", () =>
    Effect.gen(function* () {
      const at = mkdtempSync(join(tmpdir(), "nacre-unpacked-"))
      mkdirSync(join(at, "blobs"))
      const facts = { did: "did:plc:abcdefghijklmnopqrstuvwx", handle: "alice.test" }
      const manifest = {
        type: "nacre-export",
        version: 1,
        ...facts,
        server: "https://pds.example.com",
        part: 1,
        blobs: 1,
        files: []
      }
      writeFileSync(join(at, "manifest.json"), JSON.stringify(manifest))
      writeFileSync(join(at, "blobs", `${cid}.jpg`), "a picture")
      const folder = yield* openFolder(at)
      assert.deepInclude(yield* folder.manifest, facts)
      assert.deepStrictEqual([...(yield* folder.blobs)], [[cid, join(at, "blobs", `${cid}.jpg`)]])
      rmSync(at, { recursive: true })
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("a downloaded archive", () => {
  const blob = (n: number) => `blobs/${cid.slice(0, -1)}${"abcdefg"[n]}.png`
  const manifest = JSON.stringify({
    type: "nacre-export",
    version: 1,
    did: "did:plc:abcdefghijklmnopqrstuvwx",
    handle: "alice.test",
    server: "https://pds.example.com"
  })
  const first = {
    "README.txt": "Hello",
    "repo.car": "a repo",
    "records/app.bsky.feed.post.jsonl": "{}",
    "preferences.json": "{}",
    [blob(0)]: "a picture",
    "manifest.json": manifest
  }

  const inFolder = <A, E, R>(use: (at: (name: string) => string) => Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "nacre-zip-"))),
      (folder) => use((name) => join(folder, name)),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )

  it.effect("an archive is unpacked with the parts beside it, and nothing of it stays behind", () =>
    inFolder((at) =>
      Effect.gen(function* () {
        writeFileSync(at("a.zip"), zipOf(first))
        writeFileSync(at("a-part-2.zip"), zipOf({ [blob(1)]: "two", "manifest-2.json": "{}" }))
        yield* Effect.scoped(
          Effect.gen(function* () {
            const folder = yield* openFolder(yield* unpack(at("a.zip")))
            assert.strictEqual((yield* folder.manifest)?.handle, "alice.test")
            assert.strictEqual(readFileSync(folder.car, "utf8"), "a repo")
            const blobs = yield* folder.blobs
            assert.deepStrictEqual(
              [...blobs.values()].map((file) => readFileSync(file, "utf8")).toSorted(),
              ["a picture", "two"]
            )
          })
        )
        assert.sameMembers(readdirSync(at(".")), ["a.zip", "a-part-2.zip"])
      })
    ).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect(
    "an archive with other names, compressed, overlapping, cut off or changed is refused, and leaves nothing",
    () =>
      inFolder((at) =>
        Effect.gen(function* () {
          const whole = zipOf(first)
          const directory = whole.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]))
          const changed = Buffer.from(whole)
          changed[whole.indexOf("a picture")] = 0x41
          const compressed = Buffer.from(whole)
          const entry = whole.indexOf(Buffer.from([0x50, 0x4b, 1, 2]))
          compressed.writeUInt16LE(8, entry + 10)
          const overlapping = Buffer.from(whole)
          for (let at = entry; at < directory;) {
            overlapping.writeUInt32LE(whole.length - 200, at + 20)
            overlapping.writeUInt32LE(whole.length - 200, at + 24)
            at += 46 + whole.readUInt16LE(at + 28)
          }
          const bad: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
            parent: [zipOf({ ...first, "../escaped": "x" }), /it contains \.\.\/escaped/],
            absolute: [zipOf({ ...first, "/tmp/escaped": "x" }), /it contains/],
            blob: [zipOf({ ...first, "blobs/../../escaped.png": "x" }), /it contains/],
            windows: [zipOf({ ...first, "blobs\\..\\x.png": "x" }), /it contains/],
            program: [zipOf({ ...first, "run.sh": "x" }), /it contains run\.sh/],
            cut: [whole.subarray(0, -1), /incomplete/],
            half: [whole.subarray(0, whole.length / 2), /incomplete/],
            changed: [changed, /is damaged/],
            compressed: [compressed, /compressed/],
            overlapping: [overlapping, /overlap/],
            none: [Buffer.from("no archive at all"), /incomplete/],
            empty: [Buffer.alloc(0), /incomplete|damaged/]
          }
          for (const [name, [bytes, why]] of Object.entries(bad)) {
            writeFileSync(at("a.zip"), bytes)
            const { message } = yield* Effect.flip(Effect.scoped(unpack(at("a.zip"))))
            assert.match(message, why, name)
            assert.deepStrictEqual(readdirSync(at(".")), ["a.zip"], name)
          }
        })
      ).pipe(Effect.provide(NodeServices.layer))
  )
})
