/**
 * The project that the scripts work on: this repository, or the folder of a project that has
 * installed `nacre`.
 */
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { join, resolve } from "node:path"

/** Whether this is part of the package, whose build sets this variable. */
export const isInstalled = process.env.NACRE_INSTALLED === "1"

/** The project's folder. */
export const root = isInstalled ? process.cwd() : resolve(import.meta.dirname, "..")

/** Each package manager's way to run a project's command. */
const runners: Readonly<Record<string, string>> = {
  pnpm: "pnpm nacre",
  yarn: "yarn nacre",
  bun: "bunx nacre"
}

/** Whether the command was started from outside of the project, so it's on the path. */
const isGlobal = isInstalled && !import.meta.filename.startsWith(join(root, "node_modules"))

const manager = process.env["npm_config_user_agent"]?.split("/", 1)[0] ?? "npm"

/** The `nacre` command, as people can type it here. */
export const nacre = isGlobal ? "nacre" : (runners[manager] ?? "npx nacre")

/** The command that starts the local server. */
export const startCommand = isInstalled ? `${nacre} dev` : "npm start"

/** The project's wrangler configuration, under any of its names. */
export const wranglerFile = (): string =>
  ["wrangler.jsonc", "wrangler.json", "wrangler.toml"]
    .map((name) => join(root, name))
    .find((file) => existsSync(file)) ?? join(root, "wrangler.toml")

/** Wrangler, and the tools that it contains. */
export interface Tools {
  readonly wrangler: typeof import("wrangler")
  readonly esbuild: typeof import("esbuild")
  readonly miniflare: typeof import("miniflare")
}

const resolveTool = (name: string): string => {
  const ofProject = createRequire(join(root, "package.json"))
  try {
    const wrangler = ofProject.resolve("wrangler/package.json")
    return name === "wrangler" ? ofProject.resolve(name) : createRequire(wrangler).resolve(name)
  } catch (cause) {
    throw Object.assign(new Error(`${root} has no wrangler: run npm install there first.`), {
      code: "NO_WRANGLER",
      cause
    })
  }
}

/** Loads a tool from the project, not from the package of these scripts. */
export const loadTool = async <Name extends keyof Tools>(name: Name): Promise<Tools[Name]> =>
  // The tools are CommonJS of megabytes, whose exports `import` would search for beforehand.
  createRequire(import.meta.url)(resolveTool(name))
