/** The empty folder in which the examples are installed and run. */
import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { environment } from "../package/running.ts"
import { root } from "../project.ts"

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const tarball = (name: string) => join(root, "dist", `${name}-${version}.tgz`)

export const folder = mkdtempSync(join(tmpdir(), "nacre-examples-"))
export const place = (...names: ReadonlyArray<string>) => join(folder, ...names)
export const program = (name: string, file: string) => place("node_modules", name, file)

export const run = (cwd: string, file: string, ...args: ReadonlyArray<string>): string => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    cwd: place(cwd),
    env: environment,
    encoding: "utf8"
  })
  if (status !== 0) throw new Error(`${file} ${args.join(" ")} failed:\n${stdout}${stderr}`)
  return stdout
}

export const readManifest = (file: string) => JSON.parse(readFileSync(file, "utf8"))

const writeManifest = (file: string, manifest: object) =>
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)

/** One install for all: each example is a workspace that uses the packed package. */
export const install = (chosen: ReadonlyArray<string>): void => {
  for (const name of chosen) {
    cpSync(join(root, "examples", name), place(name), { recursive: true })
    const file = place(name, "package.json")
    const manifest = readManifest(file)
    for (const kind of ["dependencies", "devDependencies"]) {
      if (manifest[kind]?.nacre !== undefined) manifest[kind].nacre = `file:${tarball("nacre")}`
    }
    writeManifest(file, manifest)
  }
  writeManifest(place("package.json"), { private: true, workspaces: chosen })
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    env: environment,
    stdio: "inherit"
  })
}

export type Json = Readonly<Record<string, unknown>>

// SAFETY: every JSON response of XRPC and of the examples is an object.
export const jsonOf = async (response: Response): Promise<Json> => (await response.json()) as Json
