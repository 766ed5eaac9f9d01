import { enableCompileCache } from "node:module"
import { version } from "./core/host/version.ts"

// The next start reads compiled code.
enableCompileCache()

const [, , first = "", ...more] = process.argv

if (first === "--version" && more.length === 0) {
  // Needs nothing of what the commands load.
  console.log(`nacre v${version}`)
} else if (first === "dev") {
  // The local server is a separate program, which reads the remaining arguments.
  process.argv.splice(2, 1)
  await import("../scripts/start.mjs")
} else {
  await import("./command.ts")
}
