import { runInDurableObject } from "cloudflare:test"
import { make } from "../../src/layers/SqlStorageDurable.ts"
import { blobIndexContract } from "../contract/blobIndex.suite.ts"
import { ACCOUNT } from "./world.ts"

let made = 0

// An object without an account has an empty database.
blobIndexContract("a Durable Object", async (body) => {
  const stub = ACCOUNT.get(ACCOUNT.idFromName(`did:web:blob-index-${made++}.test`))
  await runInDurableObject(stub, (_object, state) => body(make(state.storage)))
})
