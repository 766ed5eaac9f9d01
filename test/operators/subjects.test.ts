import { assert, describe, it } from "@effect/vitest"
import { soughtSubject } from "../../src/core/operators/subjects.ts"

const did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
const cid = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"

describe("what an operator looks up", () => {
  it("a handle, a DID, an at:// address and a link to bsky.app name the same account or record", () => {
    for (const [typed, sought] of [
      [" @Alice.example.com ", { account: "alice.example.com" }],
      [did, { account: did }],
      [`at://${did}`, { account: did }],
      ["https://bsky.app/profile/alice.example.com", { account: "alice.example.com" }],
      [`https://bsky.app/profile/${encodeURIComponent(did)}/`, { account: did }],
      [
        `at://${did}/app.bsky.feed.post/3kaaaaaaaaa22`,
        { account: did, path: "app.bsky.feed.post/3kaaaaaaaaa22" }
      ],
      [
        "https://bsky.app/profile/alice.example.com/post/3kaaaaaaaaa22?ref=x#top",
        { account: "alice.example.com", path: "app.bsky.feed.post/3kaaaaaaaaa22" }
      ],
      [
        "https://bsky.app/profile/alice.example.com/lists/3kaaaaaaaaa22",
        { account: "alice.example.com", path: "app.bsky.graph.list/3kaaaaaaaaa22" }
      ]
    ] as const) {
      assert.deepStrictEqual(soughtSubject(typed), sought, typed)
    }
    assert.deepStrictEqual(soughtSubject(did, ` ${cid} `), { account: did, blob: cid })
  })

  it("anything else is no subject", () => {
    for (const typed of [
      "",
      "alice",
      "not a handle",
      `at://${did}/app.bsky.feed.post`,
      "https://example.com/profile",
      "https://bsky.app/profile/alice.example.com/other/3kaaaaaaaaa22",
      "https://bsky.app/profile/%E0%A4%A",
      "javascript:alert(1)"
    ]) {
      assert.isUndefined(soughtSubject(typed), typed)
    }
    assert.isUndefined(soughtSubject(did, "not a cid"))
  })
})
