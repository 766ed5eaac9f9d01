import type { Event } from "@atproto/sync"
import { assert, describe, it } from "@effect/vitest"
import type { TestServer } from "../support/server/server.ts"
import { openFirehose } from "../support/server/serverFirehose.ts"
import { adminOf, post, signUp } from "../support/server/serverPeople.ts"

/** An event as one line. */
const line = (event: Event): string => {
  switch (event.event) {
    case "account":
      return `account ${event.active ? "active" : event.status}`
    case "create":
      return `create ${event.collection}`
    default:
      return event.event
  }
}

/** The tests of the events of an account, from its first day to its last. */
export const lifeSuite = (name: string, server: () => TestServer) => {
  describe(`the life of an account on ${name}`, () => {
    it("the official consumer gets an account's events in the specified order, and afterwards only its deletion", async () => {
      const { agent, did } = await signUp(server(), "mortal")
      const { admin, identity, server: own } = agent.com.atproto
      const asAdmin = { ...adminOf(server()), encoding: "application/json" } as const
      const takeDown = (applied: boolean) => {
        const subject = { $type: "com.atproto.admin.defs#repoRef", did } as const
        return admin.updateSubjectStatus({ subject, takedown: { applied } }, asAdmin)
      }
      const handle = "mortal-no-more.test"
      const consumer = openFirehose(server(), 0)
      const arrive = async (lines: ReadonlyArray<string>) => {
        await consumer.received(did, lines.length)
        assert.deepStrictEqual(consumer.of(did).map(line), lines)
      }

      // The first commit is empty, so the consumer emits nothing for it.
      const born = ["identity", "account active", "sync"]
      await arrive(born)
      await identity.updateHandle({ handle })
      await identity.updateHandle({ handle })
      await agent.post(post("alive"))
      const lived = ["identity", "identity", "create app.bsky.feed.post"]
      await arrive([...born, ...lived])
      await own.deactivateAccount({})
      await takeDown(true)
      await takeDown(false)
      await own.activateAccount()
      await takeDown(true)
      await takeDown(false)
      const changed = [
        "account deactivated",
        "account takendown",
        "account deactivated",
        "account active",
        "identity",
        "sync",
        "account takendown",
        "account active"
      ]
      await arrive([...born, ...lived, ...changed])
      await admin.deleteAccount({ did }, asAdmin)
      await arrive([...born, ...lived, ...changed, "account deleted"])
      await consumer.stop()
      assert.deepStrictEqual(consumer.errors, [])

      const heir = await signUp(server(), "heir")
      const historian = openFirehose(server(), 0)
      await historian.received(heir.did, 3)
      assert.deepStrictEqual(historian.of(did).map(line), ["account deleted"])
      await historian.stop()
    })
  })
}
