import * as BlockStoreMemory from "../../src/layers/BlockStoreMemory.ts"
import * as BlockStoreSqlite from "../../src/layers/BlockStoreSqlite.ts"
import * as SqlStorageNode from "../../src/layers/SqlStorageNode.ts"
import type { WithDatabase } from "./repo.fixture.ts"
import { repoContract } from "./repo.suite.ts"

const onNode: WithDatabase = (body) => body(SqlStorageNode.layer(":memory:"))

repoContract("tree in a Map", onNode, BlockStoreMemory.layer)
repoContract("tree in SQLite clusters", onNode, BlockStoreSqlite.layer)
