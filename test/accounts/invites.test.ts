import { assert, describe, it } from "@effect/vitest"
import { inviteEnd, inviteNote, inviteRows, inviteState } from "../../src/core/accounts/invites.ts"

const now = Date.UTC(2030, 0, 15, 12)

const member = (did: string, createdAt: number, by?: string) =>
  by === undefined ? { did, createdAt } : { did, createdAt, by }

const drawn = (accounts: ReadonlyArray<ReturnType<typeof member>>) =>
  inviteRows(accounts).map(({ account, depth }) => `${"-".repeat(depth)}${account.did}`)

describe("an invite's terms", () => {
  it("an end is a number of days, a whole day in UTC, or a time, in the future", () => {
    const ends = {
      "7d": Date.UTC(2030, 0, 22, 12),
      "2030-01-15": Date.UTC(2030, 0, 16),
      " 2030-01-31 ": Date.UTC(2030, 1, 1),
      "2030-01-15T12:00:01Z": now + 1000,
      "2030-01-15T14:30:00+02:00": now + 1_800_000
    }
    for (const [text, end] of Object.entries(ends)) assert.strictEqual(inviteEnd(text, now), end)
    const wrong = [
      "",
      "0d",
      "-1d",
      "99999d",
      "soon",
      "7",
      "2030-01-14",
      "2030-02-31T",
      "2030-13-01"
    ]
    for (const text of [...wrong, "2030-01-15T12:00:00Z"]) {
      assert.isUndefined(inviteEnd(text, now), text)
    }
  })

  it("a note is one line, and a blank one is none", () => {
    assert.strictEqual(inviteNote("  For the\n book\u0000club "), "For the book club")
    assert.isUndefined(inviteNote(" \n "))
  })

  it("a code is disabled, used up, expired, or none of these", () => {
    const open = { disabled: false, available: 1, uses: [], expiresAt: now + 1 }
    assert.isUndefined(inviteState(open, now))
    assert.isUndefined(inviteState({ ...open, expiresAt: undefined }, now))
    assert.strictEqual(inviteState({ ...open, disabled: true, uses: [1] }, now), "disabled")
    assert.strictEqual(inviteState({ ...open, uses: [1] }, now + 1), "used up")
    assert.strictEqual(inviteState(open, now + 1), "expired")
  })
})

describe("who invited whom", () => {
  it("each account is below its inviter, the oldest first", () => {
    assert.deepStrictEqual(
      drawn([
        member("d", 4, "gone"),
        member("c", 3, "b"),
        member("e", 2, "a"),
        member("b", 5, "a"),
        member("a", 1, "admin"),
        member("f", 6)
      ]),
      ["a", "-e", "-b", "--c", "d", "f"]
    )
  })

  it("accounts that invited each other are there once", () => {
    assert.deepStrictEqual(drawn([member("a", 1, "b"), member("b", 2, "a")]), ["a", "-b"])
    assert.deepStrictEqual(drawn([member("a", 1, "a")]), ["a"])
  })
})
