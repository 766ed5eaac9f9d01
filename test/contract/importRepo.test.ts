import * as SqlStorageNode from "../../src/layers/SqlStorageNode.ts"
import { importOdd } from "./importOdd.suite.ts"
import { importRefusals } from "./importRefusals.suite.ts"
import { importContract } from "./importRepo.suite.ts"
import type { WithDatabase } from "./repo.fixture.ts"

const onNode: WithDatabase = (body) => body(SqlStorageNode.layer(":memory:"))

importContract("on Node", onNode)
importRefusals("on Node", onNode)
importOdd("on Node", onNode)
