import { createHash, scryptSync } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import { formatDidKey, publicKeyOf, signBytes } from "../../../src/core/identity/didKey.ts"
import { encode } from "../../../src/core/repo/cbor.ts"
import { type Cid, cidForCbor, cidForRaw } from "../../../src/core/repo/cid.ts"
import { signedCommit, unsignedCommitBytes } from "../../../src/core/repo/commit.ts"
import { fromJson } from "../../../src/core/repo/json.ts"
import { buildClusters } from "../../../src/core/repo/mst/build.ts"
import { tidFromMicros } from "../../../src/core/repo/tid.ts"
import { open } from "../../../src/layers/host/sql/SqlStorageNode.ts"

/** The tables of a reference PDS, as far as they are read. */
const accountTables = `
  CREATE TABLE actor (did PRIMARY KEY, handle, createdAt, takedownRef, deactivatedAt, deleteAfter);
  CREATE TABLE account (did PRIMARY KEY, email, passwordScrypt, emailConfirmedAt, invitesDisabled DEFAULT 0);
  CREATE TABLE app_password (did, name, passwordScrypt, createdAt, privileged DEFAULT 0, PRIMARY KEY (did, name));
  CREATE TABLE refresh_token (id PRIMARY KEY, did, expiresAt, nextId, appPasswordName);
  CREATE TABLE invite_code (code PRIMARY KEY, availableUses, disabled DEFAULT 0, forAccount, createdBy, createdAt);
  CREATE TABLE invite_code_use (code, usedBy, usedAt, PRIMARY KEY (code, usedBy));
  CREATE TABLE token (id INTEGER PRIMARY KEY, did, tokenId, createdAt, updatedAt, expiresAt, clientId, clientAuth, deviceId, parameters, details, code, currentRefreshToken, scope);
  CREATE TABLE authorized_client (did, clientId, createdAt, updatedAt, data, PRIMARY KEY (did, clientId));
  CREATE TABLE email_token (purpose, did, token, requestedAt)`

const storeTables = `
  CREATE TABLE repo_root (did PRIMARY KEY, cid, rev, indexedAt);
  CREATE TABLE repo_block (cid PRIMARY KEY, repoRev, size, content);
  CREATE TABLE record (uri PRIMARY KEY, cid, collection, rkey, repoRev, indexedAt, takedownRef);
  CREATE TABLE blob (cid PRIMARY KEY, mimeType, size, tempKey, width, height, createdAt, takedownRef);
  CREATE TABLE record_blob (blobCid, recordUri);
  CREATE TABLE account_pref (id INTEGER PRIMARY KEY, name, valueJson)`

/** A password's hash as the reference stores it. */
export const referenceHash = (password: string, salt: string): string =>
  `${salt}:${scryptSync(password, salt, 64).toString("hex")}`

const appPasswordSalt = (did: string): string =>
  createHash("sha256").update(did).digest("hex").slice(0, 32)

/** An account to make. */
export interface Made {
  readonly name: string
  readonly password?: string
  readonly takedown?: string
  readonly deactivatedAt?: string
  readonly deleteAfter?: string
  readonly posts?: number
}

/** What a made account has. */
export interface MadeAccount {
  readonly did: string
  readonly commit: Cid
  readonly rev: string
  readonly records: ReadonlyMap<string, Cid>
  readonly blob: { readonly cid: string; readonly bytes: Uint8Array }
  readonly store: string
}

/** A reference PDS's data folder. */
export interface ReferenceFolder {
  readonly folder: string
  readonly accounts: DatabaseSync
  make(account: Made): MadeAccount
  /** Adds an app password. */
  appPassword(did: string, name: string, password: string): void
  /** Adds a session by the id of its refresh token. */
  session(did: string, id: string, expiresAt: number, appPassword?: string): void
  /** Adds a session of an OAuth app. */
  app(did: string, app: MadeApp): void
  /** Remembers what the owner allowed an OAuth app. */
  consent(did: string, clientId: string, data: string): void
  /** Closes its databases, as an orderly stop does. */
  close(): void
}

/** A session of an OAuth app to make. */
export interface MadeApp {
  readonly clientId: string
  readonly clientAuth?: object
  readonly jkt?: string
  readonly createdAt: number
  readonly updatedAt?: number
  readonly refreshToken: string | null
}

const at = "2025-05-05T05:05:05.000Z"

/** The key of an account by its name. */
const secretOf = (name: string): Uint8Array =>
  new Uint8Array(createHash("sha256").update(`key of ${name}`).digest())

const fillStore = (
  store: DatabaseSync,
  did: string,
  name: string,
  posts: number
): Pick<MadeAccount, "commit" | "rev" | "records" | "blob"> => {
  const rev = tidFromMicros(1_750_000_000_000_000, 7)
  const putBlock = store.prepare("INSERT OR IGNORE INTO repo_block VALUES (?, ?, ?, ?)")
  const bytes = new TextEncoder().encode(`the picture of ${name}`)
  const blob = { cid: cidForRaw(bytes).toString(), bytes }
  store
    .prepare("INSERT INTO blob VALUES (?, 'image/png', ?, NULL, NULL, NULL, ?, NULL)")
    .run(blob.cid, bytes.length, at)
  const records = new Map<string, Cid>()
  const put = (path: string, value: object): void => {
    const block = encode(fromJson(value))
    const cid = cidForCbor(block)
    const [collection = "", rkey = ""] = path.split("/")
    records.set(path, cid)
    putBlock.run(cid.toString(), rev, block.length, block)
    store
      .prepare("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, NULL)")
      .run(`at://${did}/${path}`, cid.toString(), collection, rkey, rev, at)
  }
  put("app.bsky.actor.profile/self", {
    $type: "app.bsky.actor.profile",
    displayName: name,
    avatar: { $type: "blob", ref: { $link: blob.cid }, mimeType: "image/png", size: bytes.length }
  })
  for (let nth = 0; nth < posts; nth++) {
    put(`app.bsky.feed.post/${tidFromMicros(1_740_000_000_000_000 + nth, 0)}`, {
      $type: "app.bsky.feed.post",
      text: `post ${nth} of ${name}`,
      createdAt: at
    })
  }
  const clusters = buildClusters([...records].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  let next = clusters.next()
  while (next.done !== true) next = clusters.next()
  const unsigned = { did, rev, data: next.value }
  const sig = signBytes("k256", secretOf(name), unsignedCommitBytes(unsigned))
  const commit = signedCommit({ ...unsigned, sig })
  putBlock.run(commit.cid.toString(), rev, commit.bytes.length, commit.bytes)
  store
    .prepare("INSERT INTO repo_root VALUES (?, ?, ?, ?)")
    .run(did, commit.cid.toString(), rev, at)
  const preference = { $type: "app.bsky.actor.defs#adultContentPref", enabled: true }
  store
    .prepare("INSERT INTO account_pref (name, valueJson) VALUES (?, ?)")
    .run(preference.$type, JSON.stringify(preference))
  return { commit: commit.cid, rev, records, blob }
}

/** Makes an empty data folder of a reference PDS, whose stream is at a sequence number. */
export const makeReference = (folder: string, seq = 4711): ReferenceFolder => {
  mkdirSync(folder, { recursive: true })
  const accounts = open(join(folder, "account.sqlite"))
  accounts.exec(accountTables)
  const sequencer = open(join(folder, "sequencer.sqlite"))
  sequencer.exec("CREATE TABLE repo_seq (seq INTEGER PRIMARY KEY, did)")
  sequencer.prepare("INSERT INTO repo_seq VALUES (?, 'did:web:x.test')").run(seq)
  sequencer.close()
  mkdirSync(join(folder, "actors"))
  mkdirSync(join(folder, "blocks"))

  return {
    folder,
    accounts,
    make: ({ name, password, takedown, deactivatedAt, deleteAfter, posts = 3 }) => {
      const did = `did:web:${name}.test`
      const hash = createHash("sha256").update(did).digest("hex")
      const store = join(folder, "actors", hash.slice(0, 2), did, "store.sqlite")
      mkdirSync(dirname(store), { recursive: true })
      writeFileSync(join(dirname(store), "key"), secretOf(name))
      const database = open(store)
      database.exec(storeTables)
      const made = fillStore(database, did, name, posts)
      database.close()
      mkdirSync(join(folder, "blocks", did))
      writeFileSync(join(folder, "blocks", did, made.blob.cid), made.blob.bytes)
      accounts
        .prepare("INSERT INTO actor VALUES (?, ?, ?, ?, ?, ?)")
        .run(did, `${name}.test`, at, takedown ?? null, deactivatedAt ?? null, deleteAfter ?? null)
      accounts
        .prepare("INSERT INTO account VALUES (?, ?, ?, ?, 0)")
        .run(did, `${name}@Example.com`, referenceHash(password ?? name, "ab".repeat(16)), at)
      return { did, store, ...made }
    },
    appPassword: (did, name, password) => {
      const hash = referenceHash(password, appPasswordSalt(did))
      accounts.prepare("INSERT INTO app_password VALUES (?, ?, ?, ?, 1)").run(did, name, hash, at)
    },
    session: (did, id, expiresAt, appPassword) => {
      accounts
        .prepare("INSERT INTO refresh_token VALUES (?, ?, ?, NULL, ?)")
        .run(id, did, new Date(expiresAt).toISOString(), appPassword ?? null)
    },
    app: (did, { clientId, clientAuth = { method: "none" }, jkt, createdAt, ...app }) => {
      const parameters = { client_id: clientId, scope: "atproto transition:generic", dpop_jkt: jkt }
      accounts
        .prepare(
          `INSERT INTO token (did, createdAt, updatedAt, clientId, clientAuth, parameters, currentRefreshToken)
            VALUES (?, ?, ?, ?, ?, ?, ?)`
        )
        .run(
          did,
          new Date(createdAt).toISOString(),
          new Date(app.updatedAt ?? createdAt).toISOString(),
          clientId,
          JSON.stringify(clientAuth),
          JSON.stringify(parameters),
          app.refreshToken
        )
    },
    consent: (did, clientId, data) => {
      accounts
        .prepare("INSERT INTO authorized_client VALUES (?, ?, ?, ?, ?)")
        .run(did, clientId, at, at, data)
    },
    close: () => accounts.close()
  }
}

/** The did:key of a made account. */
export const didKeyOf = (name: string): string => formatDidKey(publicKeyOf("k256", secretOf(name)))
