/**
 * Bundles the Worker for workerd with esbuild, as `wrangler deploy` does.
 *
 *   node scripts/build.ts [--minify] [--out dist/main.mjs] [--top 20]
 */
import type { Metafile } from "esbuild"
import { mkdir, writeFile } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { gzipSync } from "node:zlib"
import { isInstalled, loadTool, root } from "./project.ts"

export { root } from "./project.ts"

/** A bundle and its size. */
export interface Bundle {
  readonly code: string
  readonly bytes: number
  readonly gzip: number
  readonly metafile: Metafile
}

/** Bundles an entry to one ES module. */
export async function build({
  entry = resolve(root, "src/main.ts"),
  minify = false
}: { readonly entry?: string | undefined; readonly minify?: boolean } = {}): Promise<Bundle> {
  const { build: esbuild, formatMessages } = await loadTool("esbuild")
  const result = await esbuild({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    outfile: "main.mjs",
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["browser", "module", "main"],
    external: ["cloudflare:*", "node:*", "workerd:*"],
    // As in wrangler.toml: little of these packages is used, but they bring a validation library,
    // two more curves and all bases. The published package already contains them.
    alias: isInstalled
      ? {}
      : {
          "@atproto/did": resolve(root, "src/core/identity/didReference.ts"),
          "@noble/curves/p256": resolve(root, "src/core/identity/p256Curve.ts"),
          "multiformats/basics": resolve(root, "src/core/bytes/multibases.ts")
        },
    define: { "process.env.NODE_ENV": JSON.stringify("production") },
    // Keeping names would cost a call for every closure, even on hot paths (as in wrangler.toml).
    keepNames: false,
    metafile: true,
    minify,
    logLevel: "silent"
  })
  const output = result.outputFiles[0]
  if (output === undefined) throw new Error("esbuild made no output")
  // For example an import without an export, which would fail when the Worker starts.
  const warnings = await formatMessages(result.warnings, { kind: "warning", color: false })
  for (const warning of warnings) console.warn(warning)
  return {
    code: output.text,
    bytes: output.contents.byteLength,
    gzip: gzipSync(output.contents, { level: 9 }).byteLength,
    metafile: result.metafile
  }
}

/** How many bytes of the bundle each package (or folder of src) takes, largest first. */
export function sizes(metafile: Metafile): ReadonlyArray<readonly [name: string, bytes: number]> {
  const totals = new Map<string, number>()
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const name =
        /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules\/)/.exec(path)?.[1] ??
        path.split("/").slice(0, 2).join("/")
      totals.set(name, (totals.get(name) ?? 0) + bytesInOutput)
    }
  }
  return [...totals].toSorted((a, b) => b[1] - a[1])
}

/** Bytes as KiB with one decimal. */
export const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      entry: { type: "string" },
      minify: { type: "boolean", default: false },
      out: { type: "string" },
      top: { type: "string", default: "0" },
      help: { type: "boolean", short: "h", default: false }
    }
  })
  if (values.help) {
    console.log(`node scripts/build.ts [--minify] [--entry src/main.ts] [--out file] [--top n]

Bundles the Worker and prints its size; --out writes it, --top lists the n largest parts.`)
  } else {
    const made = await build({
      minify: values.minify,
      entry: values.entry === undefined ? undefined : resolve(values.entry)
    })
    if (values.out !== undefined) {
      await mkdir(dirname(resolve(values.out)), { recursive: true })
      await writeFile(resolve(values.out), made.code)
    }
    console.log(`${kib(made.bytes)}, gzip ${kib(made.gzip)}`)
    for (const [name, bytes] of sizes(made.metafile).slice(0, Number(values.top))) {
      console.log(`  ${kib(bytes).padStart(12)}  ${name}`)
    }
  }
}
