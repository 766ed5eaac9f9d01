import { runInDurableObject } from "cloudflare:test"
import * as SqlStorageDurable from "../../src/layers/SqlStorageDurable.ts"
import { importOdd } from "../contract/importOdd.suite.ts"
import { importRefusals } from "../contract/importRefusals.suite.ts"
import { importContract } from "../contract/importRepo.suite.ts"
import type { WithDatabase } from "../contract/repo.fixture.ts"
import { ACCOUNT } from "./world.ts"

// An object without an account has an empty database.
const inObject: WithDatabase = (body) =>
  runInDurableObject(ACCOUNT.get(ACCOUNT.newUniqueId()), (_object, { storage }) =>
    body(SqlStorageDurable.layer(storage))
  )

importContract("in a Durable Object", inObject)
importRefusals("in a Durable Object", inObject)
importOdd("in a Durable Object", inObject)
