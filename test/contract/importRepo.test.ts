import * as SqlStorageNode from "../../src/layers/SqlStorageNode.ts"
import { importContract } from "./importRepo.suite.ts"

importContract("on Node", (body) => body(SqlStorageNode.layer(":memory:")))
