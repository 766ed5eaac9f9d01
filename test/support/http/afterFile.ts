import { afterAll } from "@effect/vitest"
import { closeNetworks } from "./httpNetwork.ts"

// Files share a worker: a host that a failed test left open must not answer for the next file.
afterAll(closeNetworks)
