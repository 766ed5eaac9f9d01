import { copyFileSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { defineConfig } from "vitepress"

const root = join(import.meta.dirname, "../..")

/** GitHub's anchors, which the links in the documents use. */
const slugify = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .replaceAll(" ", "-")

const titleOf = (page: string): string =>
  /^# (.*)$/m.exec(readFileSync(join(root, page), "utf8"))?.[1]?.replaceAll("`", "") ?? page

const addressOf = (page: string): string => `/${page.replace(/(?:README)?\.md$/, "")}`

const item = (page: string) => ({ text: titleOf(page), link: addressOf(page) })

/** The pages of a folder of `docs/`: first those that are named, then the others. */
const section = (
  text: string,
  folder: string,
  first: ReadonlyArray<string> = [],
  collapsed = true
) => {
  const all = readdirSync(join(root, "docs", folder)).filter((name) => name.endsWith(".md"))
  const named = first.map((name) => `${name}.md`)
  const names = [...named, ...all.filter((name) => !named.includes(name))]
  return { text, collapsed, items: names.map((name) => item(`docs/${folder}/${name}`)) }
}

const contribute = section("Contribute", "contribute", ["architecture"])

export default defineConfig({
  title: "Nacre",
  description:
    "A Personal Data Server for Bluesky and other AT Protocol apps, on Cloudflare Workers",
  base: process.env["SITE_BASE"] ?? "/",
  srcDir: "pages",
  outDir: "../dist/site",
  cacheDir: "./node_modules/.vitepress",
  rewrites: (page) => page.replace(/README\.md$/, "index.md"),
  cleanUrls: true,
  head: [["link", { rel: "icon", href: "data:," }]],
  markdown: {
    anchor: { slugify },
    config: (md) => {
      md.core.ruler.push("files-of-the-repository", ({ tokens }) => {
        for (const { children } of tokens) {
          for (const link of children ?? []) {
            const href = link.attrGet("href")
            if (href === null || /^[a-z]+:/.test(href)) continue
            link.attrSet(
              "href",
              href.replace(/README\.md(?=#|$)/, "index.md").replace(/^LICENSE$/, "/LICENSE.txt")
            )
          }
        }
      })
    }
  },
  buildEnd: ({ outDir }) => copyFileSync(join(root, "LICENSE"), join(outDir, "LICENSE.txt")),
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      { text: "Your account", link: "/docs/own/account" },
      { text: "Run a server", link: "/docs/operate/deploy" },
      { text: "Build on it", link: "/docs/build/own-worker" },
      { text: "Reference", link: "/docs/reference/configuration" },
      { text: "Changelog", link: "/CHANGELOG" }
    ],
    sidebar: [
      {
        text: "Nacre",
        items: [{ text: "What it is", link: "/" }, item("CHANGELOG.md"), item("SECURITY.md")]
      },
      section(
        "Your account",
        "own",
        ["account", "passkeys-and-codes", "your-own-domain", "move-in", "move-away", "recover"],
        false
      ),
      section(
        "Run a server",
        "operate",
        [
          "deploy",
          "domains-and-handles",
          "mail",
          "accounts-and-invites",
          "costs-and-limits",
          "update",
          "backup"
        ],
        false
      ),
      section("Build on it", "build", ["own-worker", "oauth", "testing", "repos", "local-network"]),
      section("Reference", "reference", ["configuration", "cli", "endpoints"]),
      {
        ...contribute,
        items: [
          item("CONTRIBUTING.md"),
          ...contribute.items,
          section("Security", "contribute/security"),
          section("Storage", "contribute/storage"),
          section("Lives", "contribute/lives", ["README"]),
          section("Decisions", "contribute/decisions", ["README"]),
          item("docs/promises.md")
        ]
      }
    ]
  }
})
