import { env, runInDurableObject } from "cloudflare:test"
import { make } from "../../src/layers/SqlStorageDurable.ts"
import { blobIndexContract } from "../contract/blobIndex.suite.ts"

// SAFETY: wrangler.toml binds the class of the accounts' objects under this name.
const { ACCOUNT } = env as unknown as { readonly ACCOUNT: DurableObjectNamespace }

blobIndexContract("a Durable Object", async (body) => {
  const stub = ACCOUNT.get(ACCOUNT.newUniqueId())
  await runInDurableObject(stub, (_object, state) => body(make(state.storage)))
})
