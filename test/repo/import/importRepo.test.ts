import * as SqlStorageNode from "../../../src/layers/host/sql/SqlStorageNode.ts"
import { importOdd } from "./importOdd.contract.ts"
import { importRefusals } from "./importRefusals.contract.ts"
import { importContract } from "./importRepo.contract.ts"
import type { WithDatabase } from "../repo.fixture.ts"

const onNode: WithDatabase = (body) => body(SqlStorageNode.layer(":memory:"))

importContract("on Node", onNode)
importRefusals("on Node", onNode)
importOdd("on Node", onNode)
