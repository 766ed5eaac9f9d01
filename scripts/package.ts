/**
 * `npm run package`: builds the packages `nacre` and `create-nacre` into `dist/`, and packs each into a tarball there.
 *
 * `--check` verifies the tarball (publint, are-the-types-wrong, sizes) and prints what changes the public API.
 */
import { execFileSync, spawnSync } from "node:child_process"
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { formatMessage } from "publint/utils"
import { publint } from "publint"
import { apiChanges, writeApiPage } from "./package/api.ts"
import { createManifestOf, manifestOf, type RootManifest } from "./package/manifest.ts"

const root = join(import.meta.dirname, "..")
const out = join(root, "dist")
const folder = join(out, "nacre")
const createFolder = join(out, "create-nacre")
const bin = (name: string) => join(root, "node_modules/.bin", name)

/**
 * The size limits of files in bytes, gzipped if the name says so. Only a drill loads the server
 * that the command brings.
 */
const limits = {
  "the tarball": 4100 * 1024,
  "nacre, gzipped": 424 * 1024,
  "nacre/repo, gzipped": 40 * 1024,
  // With the server of `nacre serve`, which no other command loads.
  "the command, gzipped": 840 * 1024
}

const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`

const build = (): void => {
  for (const made of [folder, createFolder]) rmSync(made, { recursive: true, force: true })
  execFileSync(process.execPath, [bin("tsdown")], { cwd: root, stdio: "inherit" })
}

const readRoot = (): RootManifest => JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

const writeJson = (file: string, value: object): void =>
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`)

const finishNacre = (manifest: RootManifest): void => {
  writeJson(join(folder, "package.json"), manifestOf(manifest))
  for (const file of ["README.md", "CHANGELOG.md", "LICENSE"]) {
    cpSync(join(root, file), join(folder, file))
  }
  cpSync(join(root, "deploy"), join(folder, "deploy"), { recursive: true })
}

const finishCreate = (manifest: RootManifest): void => {
  writeJson(join(createFolder, "package.json"), createManifestOf(manifest))
  writeJson(join(createFolder, "dist/versions.json"), {
    nacreVersion: manifest.version,
    wranglerVersion: manifest.devDependencies["wrangler"]
  })
  cpSync(join(root, "create-nacre/template"), join(createFolder, "template"), { recursive: true })
  cpSync(join(root, "create-nacre/README.md"), join(createFolder, "README.md"))
  cpSync(join(root, "LICENSE"), join(createFolder, "LICENSE"))
}

/** Packs a built package; returns its tarball. */
const pack = (from: string, name: string): string => {
  execFileSync("npm", ["pack", "--silent", "--pack-destination", out, from], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"]
  })
  return join(out, name)
}

const gzipped = (...files: ReadonlyArray<string>): number =>
  gzipSync(Buffer.concat(files.map((file) => readFileSync(join(folder, "dist", file))))).byteLength

/** Every problem of the packed tarball, in one sentence each. */
const problemsOf = async (tarball: string): Promise<ReadonlyArray<string>> => {
  const problems: Array<string> = []
  const built = readdirSync(join(folder, "dist"))
  const sizes = {
    "the tarball": statSync(tarball).size,
    "nacre, gzipped": gzipped("index.js", "createNacre.js"),
    "nacre/repo, gzipped": Math.max(gzipped("repo.js"), gzipped("repo.web.js")),
    "the command, gzipped": gzipped(...built.filter((file) => /^cli\b(?!-drill).*\.js$/.test(file)))
  }
  for (const [name, limit] of Object.entries(limits)) {
    const size = sizes[name as keyof typeof limits]
    console.log(`${name}: ${kib(size)}`)
    if (size > limit) problems.push(`${name} takes ${kib(size)}, more than ${kib(limit)}`)
  }
  const { messages, pkg } = await publint({ pkgDir: folder, strict: true, pack: false })
  problems.push(...messages.map((message) => `publint: ${formatMessage(message, pkg)}`))
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [bin("attw"), tarball, "--profile", "esm-only", "--format", "ascii", "--no-color", "--quiet"],
    { encoding: "utf8" }
  )
  if (status !== 0) problems.push(`are-the-types-wrong:\n${stdout}${stderr}`)
  const web = readFileSync(join(folder, "dist/repo.web.js"), "utf8")
  if (/\bfrom\s*["']|\bimport\(/.test(web)) problems.push("dist/repo.web.js imports a module")
  for (const file of built.filter((name) => name.endsWith(".d.ts"))) {
    const isForEffect = file.startsWith("effect")
    const text = readFileSync(join(folder, "dist", file), "utf8")
    if (!isForEffect && /from "(?:effect|@effect)\b/.test(text)) {
      problems.push(`dist/${file} names a type of Effect`)
    }
    if (/_base: any\b/.test(text)) {
      problems.push(
        `dist/${file} lacks a type: name its file in scripts/package/tsconfig.effect.json`
      )
    }
  }
  return problems
}

const isCheck = process.argv.includes("--check")
mkdirSync(out, { recursive: true })
build()
const manifest = readRoot()
finishNacre(manifest)
finishCreate(manifest)
const tarball = pack(folder, `nacre-${manifest.version}.tgz`)
pack(createFolder, `create-nacre-${manifest.version}.tgz`)
if (isCheck) {
  const problems = await problemsOf(tarball)
  for (const problem of problems) console.error(`✗ ${problem}`)
  const changes = apiChanges(folder)
  if (changes.length > 0) {
    console.log("The public API changes; npm run package writes this into docs/reference/api.md:")
    for (const line of changes) console.log(line)
  }
  process.exitCode = problems.length === 0 ? 0 : 1
} else {
  writeApiPage(folder)
  console.log(`${tarball}, ${kib(statSync(tarball).size)}`)
}
