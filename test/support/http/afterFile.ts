import { afterAll } from "@effect/vitest"
import { closeNetworks } from "./httpNetwork.ts"

// Files share a worker: a host left open by a failed test must not answer for the next file.
afterAll(closeNetworks)
