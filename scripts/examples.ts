/**
 * `npm run examples`: installs the packed packages and every example into an empty folder, and runs them there.
 *
 * `--no-build` uses the existing packages in `dist/`. Arguments select examples; `astro`, whose
 * install is as large as all others together, only runs if it is named.
 */
import { execFileSync } from "node:child_process"
import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { servingAstro } from "./examples/astro.ts"
import { serving } from "./examples/serving.ts"
import { folder, install, place, program, run } from "./examples/workspace.ts"
import { must } from "./package/running.ts"
import { root } from "./project.ts"

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "no-build": { type: "boolean", default: false },
    keep: { type: "boolean", default: false }
  }
})

const all = readdirSync(join(root, "examples"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
const chosen = all.filter((name) =>
  positionals.length === 0 ? name !== "astro" : positionals.includes(name)
)

const greeting = "/xrpc/com.example.greet?name=you"

/** Runs each example. */
const runs: Readonly<Record<string, () => Promise<void>>> = {
  "one-line": () =>
    serving("one-line", async ({ post, url }) => {
      await post()
      if (!chosen.includes("firehose")) return
      const printed = run("firehose", place("firehose/consume.js"), url, "1")
      must(printed.startsWith("create at://did:"), `the consumer prints the post: ${printed}`)
    }),
  "own-worker": () =>
    serving("own-worker", async ({ get, json, post }) => {
      must((await (await get("/blog")).text()).startsWith("The site of"), "the site answers /blog")
      must((await get(greeting)).status === 401, "strangers cannot call the method")
      const { authorization } = await post()
      const { text } = await json(greeting, { authorization })
      must(String(text).startsWith("Hello you, from did:"), "the method answers its caller")
      const { error } = await json(greeting.replace("you", "nobody"), { authorization })
      must(error === "NoSuchName", "the method's error arrives by name")
      must((await json("/ready"))["sendsMail"] === true, "the mailer is in place")
    }),
  hono: () =>
    serving("hono", async ({ get, json, post }) => {
      must((await (await get("/")).text()) === "A site by Hono", "Hono answers /")
      must((await json("/hello/you"))["hello"] === "you", "Hono answers its routes")
      await post()
    }),
  effect: () =>
    serving("effect", async ({ json, post }) => {
      must((await json("/ready"))["sendsMail"] === true, "the mailer is in place")
      await post()
    }),
  "oauth-app": async () => {
    // The program itself, which isn't JavaScript after esbuild's install script has run.
    const words = ["main.js", "--bundle", "--format=esm", "--outfile=dist/main.js"]
    execFileSync(place("node_modules/.bin/esbuild"), [...words, "--log-level=error"], {
      cwd: place("oauth-app")
    })
  },
  astro: async () => {
    run("astro", program("astro", "bin/astro.mjs"), "build")
    await servingAstro()
  },
  vitest: async () => {
    run("vitest", program("vitest", "vitest.mjs"), "run")
  },
  firehose: async () => {}
}

let failed = 0
try {
  if (!values["no-build"]) {
    execFileSync(process.execPath, [join(root, "scripts/package.ts")], { stdio: "inherit" })
  }
  const started = performance.now()
  install(chosen)
  console.log(`installed (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  for (const name of chosen) {
    const from = performance.now()
    try {
      await runs[name]?.()
      console.log(`✓ ${name} (${((performance.now() - from) / 1000).toFixed(1)} s)`)
    } catch (cause) {
      failed += 1
      console.error(`✗ ${name}\n${String(cause)}`)
    }
  }
} finally {
  if (!values.keep) rmSync(folder, { recursive: true, force: true })
  else console.log(folder)
}
process.exitCode = failed === 0 ? 0 : 1
