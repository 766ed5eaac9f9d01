import * as Layer from "effect/Layer"
import * as PublicCache from "../services/edge/PublicCache.ts"
import type { AccountApp } from "./objects/AccountApp.ts"
import * as AccountsMemory from "./objects/AccountsMemory.ts"
import * as BlobStoreMemory from "./blobs/BlobStoreMemory.ts"
import * as EdgeCacheMemory from "./edge/EdgeCacheMemory.ts"
import * as HostDatabaseNode from "./host/sql/HostDatabaseNode.ts"
import * as SqlStorageNode from "./host/sql/SqlStorageNode.ts"
import * as Node from "./Node.ts"

/** The whole host in this process, with everything in memory. */
export const make = (
  app: AccountApp,
  env: Node.Environment,
  own: Node.Own & { readonly wayBack?: AccountsMemory.WayBack } = {}
) =>
  Node.make(
    env,
    {
      stream: SqlStorageNode.layer(":memory:"),
      database: HostDatabaseNode.layer(":memory:"),
      blobs: BlobStoreMemory.layer,
      accounts: AccountsMemory.layer(app, own.wayBack),
      cache: PublicCache.layer.pipe(Layer.provide(EdgeCacheMemory.layer))
    },
    own
  )
