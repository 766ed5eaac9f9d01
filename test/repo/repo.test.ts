import * as BlockStoreMemory from "./BlockStoreMemory.ts"
import * as BlockStoreSqlite from "../../src/layers/repo/BlockStoreSqlite.ts"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import type { WithDatabase } from "./repo.fixture.ts"
import { repoContract } from "./repo.contract.ts"

const onNode: WithDatabase = (body) => body(SqlStorageNode.layer(":memory:"))

repoContract("tree in a Map", onNode, BlockStoreMemory.layer)
repoContract("tree in SQLite clusters", onNode, BlockStoreSqlite.layer)
