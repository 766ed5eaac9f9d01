/**
 * Follows the event stream of a server, and verifies every commit: node consume.js https://pds.example.com
 */
import { firehose, verifyCommit } from "nacre/repo"

const [service = "https://bsky.network", most = "Infinity"] = process.argv.slice(2)

/** The root of each account's tree, as the commit before left it. */
const roots = new Map()
let seen = 0

for await (const message of firehose(service, { cursor: 0 })) {
  if (message.type === "error") console.log(`the stream ended: ${message.error}`)
  if (message.type !== "commit") continue
  const prevData = roots.get(message.did)
  const { commit, records } = await verifyCommit(message, prevData && { prevData })
  roots.set(message.did, commit.data)
  for (const { action, path } of message.ops) {
    console.log(
      `${action} at://${message.did}/${path} (${records.get(path)?.bytes.length ?? 0} bytes)`
    )
  }
  seen += message.ops.length
  if (seen >= Number(most)) break
}
