import { runInDurableObject } from "cloudflare:test"
import * as SqlStorageDurable from "../../../src/layers/host/sql/SqlStorageDurable.ts"
import { importOdd } from "./importOdd.contract.ts"
import { importRefusals } from "./importRefusals.contract.ts"
import { importContract } from "./importRepo.contract.ts"
import type { WithDatabase } from "../repo.fixture.ts"
import { ACCOUNT } from "../../host/workerdWorld.ts"

// An object without an account has an empty database.
const inObject: WithDatabase = (body) =>
  runInDurableObject(ACCOUNT.get(ACCOUNT.newUniqueId()), (_object, { storage }) =>
    body(SqlStorageDurable.layer(storage))
  )

importContract("in a Durable Object", inObject)
importRefusals("in a Durable Object", inObject)
importOdd("in a Durable Object", inObject)
