import { buildSync } from "esbuild"
import { join } from "node:path"

/** Bundles the server on Node into a folder; returns its program, and variables with which it starts five times as fast as from its sources. */
export const boxProgram = (folder: string) => {
  const program = join(folder, "serve.mjs")
  buildSync({
    entryPoints: [join(import.meta.dirname, "../../src/serve.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22",
    mainFields: ["module", "main"],
    banner: {
      js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url)'
    },
    logLevel: "error"
  })
  return { program, env: { NODE_COMPILE_CACHE: join(folder, "compiled") } }
}
