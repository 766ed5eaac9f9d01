/**
 * npm run site: builds README and docs into a site in `dist/site`, and follows every link and anchor.
 * `-- --serve` shows it on this machine afterwards.
 */
import { spawnSync } from "node:child_process"
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { root } from "./build.ts"
import { hasPackages } from "./packages.ts"

const folder = join(root, "site")
const built = join(root, "dist/site")

/** Runs a program in the site's folder; exits if it fails. */
const run = (program: string, ...args: ReadonlyArray<string>): void => {
  const { status } = spawnSync(program, args, { cwd: folder, stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
}

if (!hasPackages(folder)) run("npm", "ci", "--no-audit", "--no-fund")

// A page only finds the site's packages from within its folder.
rmSync(join(folder, "pages"), { recursive: true, force: true })
for (const source of [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "AGENTS.md",
  "LICENSE",
  "docs",
  "examples/README.md"
]) {
  cpSync(join(root, source), join(folder, "pages", source), { recursive: true })
}

const vitepress = join(folder, "node_modules/vitepress/bin/vitepress.js")
run(process.execPath, vitepress, "build", ".")

const pages = readdirSync(built, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".html"))
  .map((file) => ({ file, html: readFileSync(join(built, file), "utf8") }))
const idsOf = new Map(
  pages.map(({ file, html }) => [
    file,
    new Set([...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id!))
  ])
)

/** The file for a path of the site. */
const fileOf = (path: string): string | undefined =>
  [path, `${path}.html`, join(path, "index.html")].find((file) => {
    const at = join(built, file)
    return existsSync(at) && statSync(at).isFile()
  })

let links = 0
const broken = pages.flatMap(({ file, html }) =>
  [...html.matchAll(/<a\b[^>]* href="([^"]*)"/g)]
    .map(([, href]) => decodeURI(href!.replaceAll("&amp;", "&")))
    .filter((href) => !/^[a-z]+:/i.test(href))
    .filter((href) => {
      links += 1
      const [path = "", anchor] = href.split("#")
      const target =
        path === ""
          ? file
          : fileOf(path.startsWith("/") ? path.slice(1) : join(dirname(file), path))
      if (target === undefined) return true
      return anchor !== undefined && anchor !== "" && idsOf.get(target)?.has(anchor) !== true
    })
    .map((href) => `${file}: ${href}`)
)
if (broken.length > 0) {
  console.error([...new Set(broken)].join("\n"))
  console.error(`${broken.length} links of the site point to nothing`)
  process.exit(1)
}
console.log(`${pages.length} pages in dist/site, ${links} links followed`)
if (process.argv.includes("--serve")) run(process.execPath, vitepress, "preview", ".")
