import * as HostDatabaseNode from "../../../src/layers/host/sql/HostDatabaseNode.ts"
import { permissionSetsContract } from "./permissionSets.contract.ts"

permissionSetsContract("node:sqlite", () => HostDatabaseNode.layer(":memory:"))
