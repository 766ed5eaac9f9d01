/** The methods that a comparison of two servers can measure. */
import { type BenchAccount, post } from "./account.ts"
import type { Connection } from "./http.ts"
import { rkeyOf } from "./rows.ts"

/** One megabyte to upload. */
export const blob = Buffer.alloc(1_000_000)

/** One request on a connection. */
export type Run = (one: Connection) => Promise<unknown>

/** How a method is measured. */
export interface Call {
  /** The work of the floor that is closest to it. */
  readonly floor: string
  /** Requests before those that count; default: until the server's code is compiled. */
  readonly warmUps?: number
  run(account: BenchAccount): Promise<Run>
}

/** The method of another service, which needs an upstream. */
export const proxied = "searchPosts"

/** The methods that can be compared. */
export const calls: Readonly<Record<string, Call>> = {
  createRecord: {
    floor: "commit",
    run: async (account) => account.createRecord
  },
  applyWrites: {
    floor: "commit",
    warmUps: 24,
    run: async (account) => (one) => account.applyWrites(one, 200)
  },
  getRecord: {
    floor: "row",
    run: async (account) => {
      const rkey = rkeyOf(await account.createRecord(account.client))
      return (one) => account.getRecord(one, rkey)
    }
  },
  listRecords: { floor: "row", run: async (account) => (one) => account.listRecords(one) },
  describeServer: { floor: "empty", run: async (account) => account.describeServer },
  getRepo: {
    floor: "row",
    warmUps: 24,
    run: async (account) => (one) => account.getRepo(one, { discard: true })
  },
  [proxied]: { floor: "proxied", run: async (account) => account.searchPosts },
  getSession: { floor: "row", run: async (account) => account.getSession },
  createRecordByApp: {
    floor: "commit",
    run: async (account) => {
      const app = await account.openApp()
      const collection = "app.bsky.feed.post"
      return (one) =>
        app.call(one, "com.atproto.repo.createRecord", {
          repo: account.did,
          collection,
          record: post()
        })
    }
  },
  getSessionByApp: {
    floor: "row",
    run: async (account) => {
      const app = await account.openApp()
      return (one) => app.call(one, "com.atproto.server.getSession")
    }
  },
  uploadBlob: {
    floor: "blob",
    warmUps: 200,
    run: async (account) => (one) => {
      blob.writeUInt32BE(Math.floor(Math.random() * 2 ** 32), 0)
      return account.uploadBlob(one, blob)
    }
  }
}
