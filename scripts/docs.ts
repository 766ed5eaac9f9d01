/**
 * `npm run docs`: writes the reference pages from the declarations in code. `--check` fails when one is stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { variableNames, variables } from "../src/core/host/variables.ts"
import { variableTexts } from "../src/core/host/variableTexts.ts"
import { accountMethods } from "../src/http/account.ts"
import { hostMethods } from "../src/http/host.ts"
import type { Authority } from "../src/services/sessions/Authority.ts"

const folder = join(import.meta.dirname, "../docs/reference")

const notice = "<!-- Written by `npm run docs`. Change the declarations in code instead. -->"

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

const page = (title: string, ...parts: ReadonlyArray<string>): string =>
  `${[`# ${title}`, notice, ...parts].join("\n\n")}\n`

const configuration = (): string =>
  page(
    "Configuration",
    "The server reads its variables once, at the start, and reports every problem at once. Lists are separated by commas. Switches take `on`, `off`, `true`, `false`, `1` and `0`. An empty value counts as not set. On Cloudflare, variables go into `[vars]` of the wrangler configuration and secrets into `npx nacre secret`; a local server also reads `.dev.vars` and the environment.",
    table(
      ["variable", "default", "meaning"],
      variableNames.map((name) => {
        const { default: otherwise = "*required*", meaning } = variableTexts[name]
        return [
          `\`${name}\``,
          otherwise,
          `${"secret" in variables[name] ? "secret: " : ""}${meaning}`
        ]
      })
    )
  )

const sessionWords = {
  full: "owner",
  privileged: "privileged session",
  standard: "session"
} as const

const authorityWords = (authority: Authority): string => {
  switch (authority.kind) {
    case "none":
      return "public"
    case "optional":
      return "public; the owner sees an inactive account too"
    case "session": {
      const app =
        authority.oauth === "no"
          ? "no app"
          : authority.oauth === "any"
            ? "any app"
            : "apps by scope"
      const others = [
        ...(authority.service === true ? ["service token"] : []),
        ...(authority.moderator === true ? ["moderator"] : [])
      ]
      return [`${sessionWords[authority.level]} (${app})`, ...others].join(", ")
    }
    case "refresh":
      return "refresh token"
    case "service":
      return "service token"
    case "admin":
      return "admin"
    case "moderator":
      return "moderator"
    case "object":
      return "judged by the account"
    case "signup":
      return "public, with an invite; a service token when moving in"
  }
}

const endpoints = (): string => {
  const rows = [
    ...[...hostMethods].map(([nsid, { authority }]) => [nsid, authority, "Worker"] as const),
    ...[...accountMethods].map(([nsid, { authority }]) => [nsid, authority, "account"] as const)
  ].toSorted(([one], [other]) => (one < other ? -1 : 1))
  return page(
    "Endpoints",
    "Every XRPC method that the server answers itself, who may call it, and where it runs. *owner* is a session of the main password; *session* includes app passwords. Other methods are forwarded to the service that answers them, or answer 501 `MethodNotImplemented`.",
    table(
      ["method", "who may call", "runs in"],
      rows.map(([nsid, authority, place]) => [`\`${nsid}\``, authorityWords(authority), place])
    )
  )
}

const pages: Readonly<Record<string, () => string>> = {
  "configuration.md": configuration,
  "endpoints.md": endpoints
}

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return undefined
  }
}

/** The pages that are not what the code says now. */
export const stalePages = (): ReadonlyArray<string> =>
  Object.entries(pages).flatMap(([name, write]) =>
    read(join(folder, name)) === write() ? [] : [`docs/reference/${name}`]
  )

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes("--check")) {
    const stale = stalePages()
    for (const name of stale) console.error(`${name} is stale: run \`npm run docs\``)
    process.exitCode = stale.length === 0 ? 0 : 1
  } else {
    for (const [name, write] of Object.entries(pages)) {
      const file = join(folder, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, write())
    }
  }
}
