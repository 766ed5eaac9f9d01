/**
 * The package `nacre`: `npm run package` builds every entry into `dist/nacre/dist`.
 */
import { builtinModules } from "node:module"
import { resolve } from "node:path"
import { defineConfig, type UserConfig } from "tsdown"

const path = (file: string) => resolve(import.meta.dirname, file)

/** These packages bring far more than the server uses; wrangler.toml and scripts/build name the same. */
const alias = {
  "@atproto/did": path("src/core/identity/didReference.ts"),
  "@noble/curves/p256": path("src/core/identity/p256Curve.ts"),
  "multiformats/basics": path("src/core/bytes/multibases.ts")
}

const node = [/^node:/, ...builtinModules]

const common = {
  outDir: "dist/nacre/dist",
  format: "esm",
  fixedExtension: false,
  clean: false,
  report: false,
  hash: false,
  logLevel: "error",
  minify: true,
  sourcemap: true,
  // A map names functions and lines; the sources themselves are in the repository.
  outputOptions: {
    sourcemapExcludeSources: true,
    sourcemapPathTransform: (source: string) => source.replace(/^(?:\.\.\/)+/, "../")
  },
  // Requires a written type for every export that an entry reaches.
  dts: { generator: "oxc" },
  define: { "process.env.NODE_ENV": JSON.stringify("production") },
  // Bundles everything except what the platform has.
  deps: { alwaysBundle: [/.*/], neverBundle: [/^cloudflare:/, ...node] },
  inputOptions: { checks: { pluginTimings: false }, resolve: { alias } }
} satisfies UserConfig

/** Unused objects go also where they read a property: no module of the Worker needs a getter to run as it loads. */
const treeshake = { propertyReadSideEffects: false } as const

const workerd = {
  alias,
  conditionNames: ["workerd", "worker", "browser", "import"],
  mainFields: ["browser", "module", "main"]
}

export default defineConfig([
  {
    ...common,
    entry: { index: "src/index.ts", astro: "src/astro.ts" },
    platform: "neutral",
    target: "es2024",
    treeshake,
    deps: { ...common.deps, neverBundle: [...common.deps.neverBundle, /^@astrojs\/cloudflare/] },
    inputOptions: { ...common.inputOptions, resolve: workerd }
  },
  {
    ...common,
    entry: { effect: "src/effect.ts" },
    platform: "neutral",
    target: "es2024",
    treeshake,
    // Effect's services have inferred types, which only the compiler can write down.
    dts: { generator: "tsgo", tsconfig: "scripts/package/tsconfig.effect.json" },
    deps: {
      ...common.deps,
      alwaysBundle: [/^(?!effect$|effect\/|@effect\/)/],
      neverBundle: [...common.deps.neverBundle, /^effect$/, /^effect\//, /^@effect\//]
    },
    inputOptions: { ...common.inputOptions, resolve: workerd }
  },
  {
    ...common,
    entry: { testing: "src/testing.ts" },
    platform: "node",
    target: "node22",
    // ws is CommonJS and asks for the platform's modules by `require`.
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'
    },
    deps: {
      ...common.deps,
      neverBundle: [...common.deps.neverBundle, "bufferutil", "utf-8-validate"]
    }
  },
  {
    ...common,
    entry: { repo: "src/repo.ts" },
    platform: "neutral",
    target: "es2023",
    inputOptions: {
      ...common.inputOptions,
      resolve: { alias, conditionNames: ["import"], mainFields: ["module", "main"] }
    }
  },
  {
    ...common,
    entry: { "repo.web": "src/repo.ts" },
    platform: "neutral",
    target: "es2023",
    dts: false,
    deps: { alwaysBundle: [/.*/] },
    inputOptions: {
      ...common.inputOptions,
      resolve: {
        alias: { ...alias, "node:crypto": path("scripts/package/nodeCrypto.ts") },
        conditionNames: ["browser", "import"],
        mainFields: ["browser", "module", "main"]
      }
    }
  },
  {
    ...common,
    entry: { cli: "src/cli.ts" },
    platform: "node",
    target: "node22",
    dts: false,
    sourcemap: false,
    define: { ...common.define, "process.env.NACRE_INSTALLED": '"1"' },
    // The CommonJS form of jsonc-parser can't be bundled.
    inputOptions: { ...common.inputOptions, resolve: { alias, mainFields: ["module", "main"] } },
    outputOptions: {
      chunkFileNames: "cli-[name].js",
      banner: ({ isEntry }) => (isEntry ? "#!/usr/bin/env node" : "")
    }
  },
  {
    ...common,
    entry: { create: "create-nacre/create.ts" },
    outDir: "dist/create-nacre/dist",
    platform: "node",
    target: "node22",
    dts: false,
    sourcemap: false,
    minify: false,
    outputOptions: { banner: "#!/usr/bin/env node" }
  }
])
