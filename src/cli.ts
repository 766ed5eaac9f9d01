import module from "node:module"
import { version } from "./core/host/version.ts"

if (Number(process.versions.node.split(".")[0]) < 22) {
  console.error(`The nacre command needs Node 22 or newer, but this is ${process.version}.`)
  process.exit(1)
}

// The next start reads compiled code.
module.enableCompileCache()

const [, , first = "", ...more] = process.argv

if (first === "--version" && more.length === 0) {
  // Doesn't need the commands' modules.
  console.log(`nacre v${version}`)
} else if (first === "dev") {
  // The local server is a separate program, which reads the remaining arguments.
  process.argv.splice(2, 1)
  await import("../scripts/start.ts")
} else if (first === "serve") {
  process.argv.splice(2, 1)
  await import("./serve.ts")
} else {
  await import("./command.ts")
}
