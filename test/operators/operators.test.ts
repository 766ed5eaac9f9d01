import * as Layer from "effect/Layer"
import * as HostDatabaseNode from "../../src/layers/host/sql/HostDatabaseNode.ts"
import * as OperatorsD1 from "../../src/layers/operators/OperatorsD1.ts"
import { operatorsContract } from "./operators.contract.ts"

operatorsContract("node:sqlite", () =>
  OperatorsD1.layer.pipe(Layer.provide(HostDatabaseNode.layer(":memory:")))
)
