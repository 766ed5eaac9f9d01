import * as Layer from "effect/Layer"
import * as CodeOwnersSql from "../../src/layers/CodeOwnersSql.ts"
import * as HostDatabaseNode from "../../src/layers/HostDatabaseNode.ts"
import { configLayer } from "../node/auth/support.ts"
import { codeOwnersContract } from "./codeOwners.suite.ts"

codeOwnersContract("node:sqlite", () =>
  CodeOwnersSql.layer.pipe(Layer.provide([HostDatabaseNode.layer(":memory:"), configLayer]))
)
