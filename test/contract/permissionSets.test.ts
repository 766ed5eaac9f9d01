import * as HostDatabaseNode from "../../src/layers/HostDatabaseNode.ts"
import { permissionSetsContract } from "./permissionSets.suite.ts"

permissionSetsContract("node:sqlite", () => HostDatabaseNode.layer(":memory:"))
