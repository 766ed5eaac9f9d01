import * as BlockStoreMemory from "../../src/layers/BlockStoreMemory.ts"
import * as BlockStoreSqlite from "../../src/layers/BlockStoreSqlite.ts"
import { repoContract } from "./repo.suite.ts"

repoContract("tree in a Map", BlockStoreMemory.layer)
repoContract("tree in SQLite clusters", BlockStoreSqlite.layer)
