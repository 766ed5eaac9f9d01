import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test"
import storage from "../../docs/contribute/storage/costs.md?raw"
import { publicApp } from "../support/http/oauthApp.ts"
import { insertInto, type Rows, rowsAt, rowsOf } from "../host/billing.ts"
import {
  appServer,
  bindings,
  DIRECTORY,
  fetchWorker,
  newPerson,
  objectOf,
  type Person,
  procedure,
  query,
  sequencerObject
} from "../host/workerdWorld.ts"

/** The Worker from an OAuth app's view. */
const worker = appServer(fetchWorker)

/** The table in docs/contribute/storage/costs.md: the most that each operation bills. */
const table: ReadonlyMap<string, Rows> = new Map(
  [...storage.matchAll(/^\| ([\w ,.()]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$/gm)].map(
    ([, name = "", ...cells]) => {
      const [read = 0, written = 0, d1Read = 0, d1Written = 0] = cells.map(Number)
      return [name, { read, written, d1Read, d1Written }]
    }
  )
)

const collection = "app.bsky.feed.post"
let texts = 0
const post = (more: object = {}) => ({
  $type: collection,
  text: `number ${texts++}`,
  createdAt: "2026-01-01T00:00:00.000Z",
  ...more
})

/** Waits, uncounted, until the log has taken all of an account's events. */
const delivered = async (did: string): Promise<void> => {
  const at = "SELECT rev FROM head"
  for (;;) {
    const [head] = await rowsAt(objectOf(did), at)
    const [seen] = await rowsAt(sequencerObject(), "SELECT rev FROM repo WHERE did = ?", did)
    if (head !== undefined && seen?.["rev"] === head["rev"]) return
    await scheduler.wait(5)
  }
}

/** Waits until the outbox is empty. */
const settled = async ({ did }: Person): Promise<void> => {
  await delivered(did)
  await runDurableObjectAlarm(objectOf(did))
}

/**
 * The account under measurement, which already has data. Each operation leaves it as it was and
 * counts towards no limit.
 */
interface Subject extends Person {
  readonly password: string
}

type Operation = (of: Subject) => Promise<() => Promise<unknown>>

const call = (nsid: string, authorization: string, init: RequestInit = {}) =>
  fetchWorker(`/xrpc/${nsid}`, { ...init, headers: { authorization, ...init.headers } }).then(
    async (response) => {
      const bytes = await response.bytes()
      assert.strictEqual(response.status, 200, new TextDecoder().decode(bytes))
      return bytes
    }
  )

const png = () =>
  new Uint8Array([
    0x89,
    0x50,
    0x4e,
    0x47,
    13,
    10,
    26,
    10,
    ...new TextEncoder().encode(`${texts++}`)
  ])

const upload = async ({ authorization }: Subject) => {
  const init = { method: "POST", headers: { "content-type": "image/png" }, body: png() }
  const bytes = await call("com.atproto.repo.uploadBlob", authorization, init)
  return (JSON.parse(new TextDecoder().decode(bytes)) as { blob: { ref: { $link: string } } }).blob
}

const write =
  (nsid: string, input: (of: Subject) => Promise<object> | object): Operation =>
  async (of) => {
    const body = { repo: of.did, collection, ...(await input(of)) }
    // The most expensive case: the write has to set the alarm.
    await settled(of)
    return async () => {
      await procedure(nsid, of.authorization, body)
      await delivered(of.did)
    }
  }

const rkeyOf = ({ uri }: { readonly uri: string }) => uri.slice(uri.lastIndexOf("/") + 1)

const reads =
  (
    nsid: string,
    params: (of: Subject) => Promise<Record<string, string>> | Record<string, string>
  ): Operation =>
  async (of) => {
    const given = await params(of)
    await settled(of)
    return () => query(nsid, given)
  }

const asks =
  (nsid: string, init?: () => RequestInit): Operation =>
  async ({ authorization }) =>
  () =>
    call(nsid, authorization, init?.())

const json = (input: object): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(input)
})

const signIn = ({ handle, password }: Subject) =>
  procedure("com.atproto.server.createSession", "", { identifier: handle, password })

const operations: Readonly<Record<string, Operation>> = {
  "createRecord, a post": write("com.atproto.repo.createRecord", () => ({ record: post() })),
  "createRecord, a like": write("com.atproto.repo.createRecord", async (of) => ({
    collection: "app.bsky.feed.like",
    record: {
      $type: "app.bsky.feed.like",
      subject: await of.createRecord("liked").then(({ uri, cid }) => ({ uri, cid })),
      createdAt: "2026-01-01T00:00:00.000Z"
    }
  })),
  "createRecord with a blob": write("com.atproto.repo.createRecord", async (of) => ({
    record: post({
      embed: { $type: "app.bsky.embed.images", images: [{ alt: "", image: await upload(of) }] }
    })
  })),
  putRecord: write("com.atproto.repo.putRecord", async (of) => ({
    rkey: rkeyOf(await of.createRecord("before")),
    record: post()
  })),
  deleteRecord: write("com.atproto.repo.deleteRecord", async (of) => ({
    rkey: rkeyOf(await of.createRecord("before"))
  })),
  "applyWrites of 10": write("com.atproto.repo.applyWrites", () => ({
    writes: Array.from({ length: 10 }, () => ({
      $type: "com.atproto.repo.applyWrites#create",
      collection,
      value: post()
    }))
  })),
  getRecord: reads("com.atproto.repo.getRecord", async (of) => ({
    repo: of.did,
    collection,
    rkey: rkeyOf(await of.createRecord("read"))
  })),
  "listRecords of 50": reads("com.atproto.repo.listRecords", (of) => ({
    repo: of.did,
    collection,
    limit: "50"
  })),
  describeRepo: reads("com.atproto.repo.describeRepo", ({ did }) => ({ repo: did })),
  getLatestCommit: reads("com.atproto.sync.getLatestCommit", ({ did }) => ({ did })),
  resolveHandle: reads("com.atproto.identity.resolveHandle", ({ handle }) => ({ handle })),
  uploadBlob: async (of) => () => upload(of),
  getBlob: async (of) => {
    const image = await upload(of)
    const embed = { $type: "app.bsky.embed.images", images: [{ alt: "", image }] }
    await procedure("com.atproto.repo.createRecord", of.authorization, {
      repo: of.did,
      collection,
      record: post({ embed })
    })
    await settled(of)
    return () => call(`com.atproto.sync.getBlob?did=${of.did}&cid=${image.ref.$link}`, "")
  },
  createSession: async (of) => () => signIn(of),
  refreshSession: async (of) => {
    const { refreshJwt } = await signIn(of)
    return () =>
      call("com.atproto.server.refreshSession", `Bearer ${String(refreshJwt)}`, { method: "POST" })
  },
  deleteSession: async (of) => {
    const { refreshJwt } = await signIn(of)
    return () =>
      call("com.atproto.server.deleteSession", `Bearer ${String(refreshJwt)}`, { method: "POST" })
  },
  getSession: asks("com.atproto.server.getSession"),
  createAppPassword: asks("com.atproto.server.createAppPassword", () =>
    json({ name: `app ${texts++}` })
  ),
  getPreferences: asks("app.bsky.actor.getPreferences"),
  putPreferences: asks("app.bsky.actor.putPreferences", () =>
    json({ preferences: [{ $type: "app.bsky.actor.defs#adultContentPref", enabled: false }] })
  ),
  "OAuth, the token of a code": async ({ did }) => {
    const app = await publicApp(worker)
    const code = await app.code(did)
    return () =>
      app
        .post("/oauth/token", code)
        .then(({ status, text }) => assert.strictEqual(status, 200, text))
  },
  "OAuth, a refresh": async ({ did }) => {
    const app = await publicApp(worker)
    const tokens = await app.signIn(did)
    return () =>
      app
        .refresh(tokens["refresh_token"])
        .then(({ status, text }) => assert.strictEqual(status, 200, text))
  },
  "OAuth, getSession": async ({ did }) => {
    const app = await publicApp(worker)
    const tokens = await app.signIn(did)
    await app.call("com.atproto.server.getSession", tokens["access_token"])
    return () =>
      app
        .call("com.atproto.server.getSession", tokens["access_token"])
        .then(({ status, text }) => assert.strictEqual(status, 200, text))
  },
  "OAuth, a pushed request": async () => {
    const app = await publicApp(worker)
    await app.push()
    return () =>
      app.push().then(({ answer }) => assert.strictEqual(answer.status, 201, answer.text))
  },
  "alarm after a post": async (of) => {
    await of.createRecord("alarming")
    await delivered(of.did)
    return () => runDurableObjectAlarm(objectOf(of.did))
  },
  "alarm with nothing to do": async (of) => {
    await of.createRecord("alarming")
    await settled(of)
    return () => runDurableObjectAlarm(objectOf(of.did))
  },
  "importRepo of 100 records": async () => {
    const person = await newPerson()
    await person.applyWrites(100)
    await settled(person)
    const car = await call(`com.atproto.sync.getRepo?did=${person.did}`, "")
    const headers = { "content-type": "application/vnd.ipld.car" }
    return () =>
      call("com.atproto.repo.importRepo", person.authorization, {
        method: "POST",
        headers,
        body: car
      })
  },
  "createAccount and createSession": async () => () => newPerson().then(({ did }) => delivered(did))
}

/** Copies a table's row this many times, each copy with its own key. */
const copies = (template: Record<string, unknown>, keys: ReadonlyArray<string>, count: number) => {
  const columns = Object.keys(template)
  const key = (n: number) => `copy-${String(n).padStart(6, "0")}`
  return {
    insert: `(${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
    rows: Array.from({ length: count }, (_, n) =>
      columns.map((column) => (keys.includes(column) ? key(n) : template[column]))
    )
  }
}

/** Data that could make operations more expensive, in the account's object and in D1. */
const crowds: ReadonlyArray<{
  readonly table: string
  readonly keys: ReadonlyArray<string>
  readonly where?: string
}> = [
  { table: "session", keys: ["id", "current"] },
  { table: "oauth_session", keys: ["id", "current"] },
  { table: "oauth_consent", keys: ["client"] },
  { table: "blob", keys: ["id", "key"], where: "WHERE state = 1" },
  { table: "app_password", keys: ["name", "hash"] }
]

const hostCrowds = [
  { table: "invites", keys: ["code"] },
  { table: "invite_uses", keys: ["code"] },
  { table: "oauth_request", keys: ["hash"] },
  { table: "oauth_code", keys: ["hash"] },
  { table: "oauth_used_once", keys: ["hash"] }
] as const

/** Removes what was added to shared tables. */
const dispersed = async (): Promise<void> => {
  for (const { table: name, keys } of hostCrowds) {
    await DIRECTORY.prepare(`DELETE FROM ${name} WHERE ${keys[0]} LIKE 'copy-%'`).run()
  }
  await rowsAt(sequencerObject(), "DELETE FROM collection WHERE did LIKE 'copy-%'")
}

/** An account with one of everything, plus `count` more of each. */
const crowded = async (count: number): Promise<Subject> => {
  const person = { ...(await newPerson()), password: "a long password" }
  await person.applyWrites(60)
  await upload(person)
  await (
    await operations["createAppPassword"]!(person)
  )()
  const app = await publicApp(worker)
  await app.signIn(person.did)
  await app.push()
  await procedure(
    "com.atproto.server.createInviteCode",
    `Basic ${btoa(`admin:${bindings.ADMIN_PASSWORD}`)}`,
    {
      useCount: 1,
      forAccount: person.did
    }
  )
  const object = objectOf(person.did)
  for (const { table: name, keys, where = "" } of crowds) {
    const [template] = await rowsAt(object, `SELECT * FROM ${name} ${where} LIMIT 1`)
    if (template === undefined) continue
    const { insert, rows } = copies(template, keys, count)
    // SAFETY: the values come from SQLite rows.
    await insertInto(object, `INSERT INTO ${name} ${insert}`, rows as Array<Array<SqlStorageValue>>)
  }
  for (const { table: name, keys } of hostCrowds) {
    const template = await DIRECTORY.prepare(`SELECT * FROM ${name} LIMIT 1`).first()
    if (template === null || count === 0) continue
    const { insert, rows } = copies(template, keys, count)
    await DIRECTORY.batch(
      rows.map((row) => DIRECTORY.prepare(`INSERT OR REPLACE INTO ${name} ${insert}`).bind(...row))
    )
  }
  await delivered(person.did)
  const others = Array.from({ length: count }, (_, n) => [collection, `copy-${n}`])
  await insertInto(sequencerObject(), "INSERT INTO collection VALUES (?, ?)", others)
  // Its memory predates the added rows.
  await evictDurableObject(object)
  return person
}

const kinds = ["read", "written", "d1Read", "d1Written"] as const

const fits = (rows: Rows, most: Rows) => kinds.every((kind) => rows[kind] <= most[kind])

/** The rows of an operation that ran before; repeated if an alarm interfered. */
const measure = async (operation: Operation, subject: Subject, most: Rows): Promise<Rows> => {
  await rowsOf(await operation(subject))
  let rows = await rowsOf(await operation(subject))
  for (let again = 0; again < 3 && !fits(rows, most); again++) {
    rows = await rowsOf(await operation(subject))
  }
  return rows
}

describe("the rows that an operation bills", () => {
  it("docs/contribute/storage/costs.md lists each operation once", () => {
    assert.deepStrictEqual([...table.keys()], Object.keys(operations))
  })

  for (const count of [0, 100, 1000]) {
    describe(`with ${count} sessions, apps, uploads, app passwords, invites and other repos`, () => {
      let subject: Subject
      beforeAll(async () => {
        subject = await crowded(count)
      }, 60_000)
      afterAll(dispersed)

      for (const [name, operation] of Object.entries(operations)) {
        it(`${name} bills at most what the table says`, async () => {
          const most = table.get(name)
          assert.isDefined(most)
          const rows = await measure(operation, subject, most!)
          assert.isTrue(fits(rows, most!), `${JSON.stringify(rows)}, not ${JSON.stringify(most)}`)
          // A table with much higher limits than the truth would prove nothing.
          const stale = kinds.filter((kind) => most![kind] > 2 * rows[kind] + 4)
          assert.deepStrictEqual(stale, [], JSON.stringify(rows))
        })
      }
    })
  }
})
