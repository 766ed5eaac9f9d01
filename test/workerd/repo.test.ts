import { env, runInDurableObject } from "cloudflare:test"
import * as BlockStoreSqlite from "../../src/layers/BlockStoreSqlite.ts"
import * as SqlStorageDurable from "../../src/layers/SqlStorageDurable.ts"
import { repoContract } from "../contract/repo.suite.ts"

// SAFETY: wrangler.toml binds the class of the accounts' objects under this name.
const { ACCOUNT } = env as unknown as { readonly ACCOUNT: DurableObjectNamespace }

// An object without an account has an empty database.
repoContract(
  "tree in clusters of a Durable Object",
  (body) =>
    runInDurableObject(ACCOUNT.get(ACCOUNT.newUniqueId()), (_object, { storage }) =>
      body(SqlStorageDurable.layer(storage))
    ),
  BlockStoreSqlite.layer
)
