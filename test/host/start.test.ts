import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { firstAccount } from "../../scripts/account.ts"
import { builtOnce } from "../../scripts/built.ts"
import { fingerprint } from "../../scripts/env.ts"
import { inWords, whereToCorrect } from "../../scripts/serve/failures.ts"
import { readSettings } from "../../scripts/serve/settings.ts"
import { refuseOtherBlobs, refuseOtherKey } from "../../scripts/start/checks.ts"
import { StoredByNewerVersion } from "../../src/core/host/schemaVersion.ts"
import { failure } from "../../src/layers/host/logLine.ts"
import { openFile } from "../../src/layers/host/sql/SqlStorageNode.ts"
import { freePort } from "../support/server/server.ts"

const npmStart = join(import.meta.dirname, "../../scripts/start.ts")
const memory = join(import.meta.dirname, "../../src/dev.ts")

/** Runs a script that starts a server, which should fail; returns its exit code and output. */
const run = (env: Record<string, string>, script: string, args: ReadonlyArray<string> = []) =>
  new Promise<{ readonly code: number | null; readonly said: string }>((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let said = ""
    child.stdout.on("data", (chunk) => (said += chunk))
    child.stderr.on("data", (chunk) => (said += chunk))
    child.once("error", reject)
    child.once("exit", (code) => resolve({ code, said }))
  })

/** Starts a server as npm does, from the bundled script, which starts in half the time. */
const start = async (env: Record<string, string>) => {
  const { script, env: fast } = await builtOnce()
  return run({ ...fast, ...env }, script)
}

/** The same with the Worker built already: it gives up only once its Worker runs. */
const startBuilt = async (env: Record<string, string>) => {
  const { script, args, env: fast } = await builtOnce()
  return run({ ...fast, ...env }, script, args)
}

const inFolder = async (body: (folder: string) => Promise<void>) => {
  const folder = mkdtempSync(join(tmpdir(), "nacre-start-"))
  try {
    await body(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("the bucket of a folder's blobs", () => {
  it("a server refuses to start without the bucket that has its blobs, or with another one", () => {
    const [first, second] = ["https://s3.example.com/one", "https://s3.example.com/two"]
    const check = (noted: string | undefined, given: string | undefined) => () =>
      refuseOtherBlobs(noted === undefined ? {} : { blobs: noted }, given, "server.json")
    assert.doesNotThrow(check(undefined, undefined))
    assert.doesNotThrow(check(undefined, first))
    assert.doesNotThrow(check(first, first))
    assert.throws(
      check(first, undefined),
      /are in https:\/\/s3.example.com\/one, but BLOB_S3_URL isn't set/
    )
    assert.throws(check(first, second), /BLOB_S3_URL is https:\/\/s3.example.com\/two/)
  })
})

describe("the key of a folder", () => {
  it("a server starts on data under the key that a rotation replaces, and refuses any other key", () => {
    const note = { masterKey: fingerprint("old") ?? "" }
    const refused = (keys: Record<string, string>) => () =>
      refuseOtherKey(note, keys, "folder", "file", "Restore it.")
    assert.doesNotThrow(refused({ MASTER_KEY: "old" }))
    assert.doesNotThrow(refused({ MASTER_KEY: "new", MASTER_KEY_PREVIOUS: "old" }))
    assert.throws(refused({ MASTER_KEY: "new" }), /another MASTER_KEY/)
    assert.throws(
      refused({ MASTER_KEY: "new", MASTER_KEY_PREVIOUS: "older" }),
      /another MASTER_KEY/
    )
  })
})

describe("a start that fails", () => {
  it("npm start reports an invalid port", async () => {
    await inFolder(async (folder) => {
      const { code, said } = await run({ DATA_DIR: folder, PORT: "http" }, npmStart)
      assert.strictEqual(code, 1)
      assert.include(said, 'PORT must be a number between 1 and 65535, not "http"')
    })
  })

  it("npm start explains that data belongs to its address", async () => {
    await inFolder(async (folder) => {
      const note = { publicUrl: "http://localhost:8787", port: 8787, isUsed: true }
      writeFileSync(join(folder, "server.json"), JSON.stringify(note))
      const { code, said } = await start({ DATA_DIR: folder, PORT: String(await freePort()) })
      assert.strictEqual(code, 1)
      assert.include(said, "belongs to http://localhost:8787")
      assert.include(said, "PORT=8787")
      assert.include(said, `DATA_DIR=${folder}-2 npm start`)
    })
  })

  it("npm start creates no new master key for data that another one protects", async () => {
    await inFolder(async (folder) => {
      const port = await freePort()
      const note = {
        publicUrl: `http://localhost:${port}`,
        isUsed: true,
        masterKey: "0".repeat(16)
      }
      writeFileSync(join(folder, "server.json"), JSON.stringify(note))
      const vars = join(folder, ".dev.vars")
      const lost = await start({ DATA_DIR: folder, PORT: String(port) })
      assert.strictEqual(lost.code, 1)
      assert.include(lost.said, "MASTER_KEY")
      assert.include(lost.said, vars)
      assert.isFalse(existsSync(vars))
      const other = { MASTER_KEY: "A".repeat(43), DATA_DIR: folder, PORT: String(port) }
      assert.strictEqual((await start(other)).code, 1)
    })
  })

  it("npm start accepts development hosts only for a local address, mapped to this machine", async () => {
    await inFolder(async (folder) => {
      const port = await freePort()
      const hosts = { DATA_DIR: folder, PORT: String(port), DEV_HOSTS: "a.example.com=127.0.0.1:1" }
      const open = await start({ ...hosts, PUBLIC_URL: "https://pds.example.com" })
      assert.strictEqual(open.code, 1)
      assert.include(open.said, "DEV_HOSTS is for development")
      const far = await start({ ...hosts, DEV_HOSTS: "a.example.com=192.0.2.1:80" })
      assert.strictEqual(far.code, 1)
      assert.include(far.said, "DEV_HOSTS must be host=127.0.0.1:port")
    })
  })

  it("npm start says which file or folder is unusable, and which line is invalid", async () => {
    await inFolder(async (folder) => {
      const port = String(await freePort())
      const file = join(folder, "file")
      writeFileSync(file, "")
      const noFolder = await start({ DATA_DIR: file, PORT: port })
      assert.strictEqual(noFolder.code, 1)
      assert.include(noFolder.said, `Couldn't use ${file} as the data folder`)
      const state = join(folder, "data/state")
      mkdirSync(join(state, ".writable"), { recursive: true })
      const readOnly = await start({ DATA_DIR: join(folder, "data"), PORT: port })
      assert.strictEqual(readOnly.code, 1)
      assert.include(readOnly.said, `Couldn't write to ${state}`)
      const vars = join(folder, ".dev.vars")
      writeFileSync(vars, "# mine\nADMIN_PASSWORD: chosen by me\nADMIN_PASSWORD=short\n")
      const stray = await startBuilt({ DATA_DIR: folder, PORT: port })
      assert.strictEqual(stray.code, 1)
      assert.include(stray.said, `Ignored line 2 of ${vars}`)
      assert.notInclude(stray.said, "chosen by me")
      rmSync(vars)
      mkdirSync(vars)
      const unread = await start({ DATA_DIR: folder, PORT: port })
      assert.strictEqual(unread.code, 1)
      assert.include(unread.said, `Couldn't read ${vars}`)
      for (const { said } of [noFolder, readOnly, stray, unread]) assert.notMatch(said, /^ {4}at /m)
    })
  })

  describe("with an invalid configuration", () => {
    type Answer = Awaited<ReturnType<typeof run>>
    let folder: string
    let answers: ReadonlyArray<Answer>
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "nacre-start-"))
      const env = { DATA_DIR: folder, PORT: String(await freePort()), ADMIN_PASSWORD: "short" }
      answers = [await run(env, npmStart), await startBuilt(env)]
    })
    afterAll(() => rmSync(folder, { recursive: true }))

    it("npm start says which secrets it created even if it fails, and where they are", () => {
      const kept = `Created MASTER_KEY, PLC_ROTATION_KEY, ADMIN_PASSWORD in ${join(folder, ".dev.vars")}.`
      assert.include(answers[0]?.said, kept)
      assert.notInclude(answers[1]?.said, "Created")
    })

    it("npm start reports an invalid configuration, and doesn't bind the folder to an address", () => {
      for (const { code, said } of answers) {
        assert.strictEqual(code, 1)
        assert.include(said, "The configuration is invalid")
        assert.include(said, "ADMIN_PASSWORD must be at least 16 characters")
      }
      const note = JSON.parse(readFileSync(join(folder, "server.json"), "utf8"))
      assert.isFalse(note.isUsed)
      assert.strictEqual(statSync(join(folder, ".dev.vars")).mode & 0o777, 0o600)
      assert.isFalse(existsSync(join(folder, "account.json")))
    })
  })
})

describe("nacre serve", () => {
  it("nacre serve says where its settings are missing, and what makes them", async () => {
    await inFolder(async (folder) => {
      const file = join(folder, "nacre.env")
      assert.strictEqual(
        whereToCorrect({ folder, file }),
        `There is no file ${file}. This makes it: npx nacre init --target box --data ${folder}`
      )
      writeFileSync(file, "")
      assert.include(whereToCorrect({ folder, file }), `Correct it in ${file}`)
      rmSync(file)
      mkdirSync(file)
      assert.throws(() => readSettings(["--data", folder]), `Couldn't read ${file}`)
    })
  })

  it("nacre serve says what to do about a full disk, a foreign folder and a used port", () => {
    const failing = (code: string) => Object.assign(new Error(`it failed: ${code}`), { code })
    for (const [code, advice] of [
      ["ENOSPC", "Free some space"],
      ["EROFS", "Mount the disk"],
      ["EACCES", "as the user who owns the data folder"],
      ["EPERM", "as the user who owns the data folder"],
      ["EADDRINUSE", "choose another port with --port"],
      ["ENOTDIR", "it failed: ENOTDIR"]
    ] as const) {
      assert.include(inWords(failing(code)), advice)
    }
    assert.isUndefined(inWords(new Error("a mistake in the code")))
    assert.include(inWords(new StoredByNewerVersion(99)), "schema version 99")
  })

  it("nacre serve names a damaged database, and says that a backup helps", async () => {
    await inFolder(async (folder) => {
      const file = join(folder, "directory.sqlite")
      writeFileSync(file, "not a database ".repeat(500))
      let problem: unknown
      try {
        openFile(file)
      } catch (cause) {
        problem = cause
      }
      assert.include(inWords(problem), `${file}: file is not a database\nThe file is damaged.`)
      assert.match(JSON.stringify(failure(problem)), /directory\.sqlite: file is not a database"/)
    })
  })
})

describe("the memory server", () => {
  it("the memory server says why it doesn't start, and fails", async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve))
    // SAFETY: it listens on a port rather than a pipe.
    const { port } = taken.address() as AddressInfo
    const { code, said } = await run({ PORT: String(port) }, memory)
    taken.close()
    assert.strictEqual(code, 1)
    assert.include(said, "EADDRINUSE")
  })
})

describe("the first account", () => {
  it("the first account's handle is under one of the server's domains", () => {
    const handle = (publicUrl: string, handleDomains?: string) =>
      firstAccount({ publicUrl, adminPassword: "", handleDomains }).handle
    assert.strictEqual(handle("http://localhost:8787"), "you.test")
    assert.strictEqual(handle("https://pds.example.com"), "you.pds.example.com")
    assert.strictEqual(handle("https://pds.example.com", ".a.com, b.com"), "you.a.com")
  })
})
