import { walkCommands } from "./commandHelp.ts"
import { page } from "./page.ts"

/** Global flags are shown only once. */
const isGlobal = /^GLOBAL FLAGS\n(?: {2}.*\n?)+\n?/m

const plain = (help: string, isFirst: boolean): string =>
  (isFirst ? help : help.replace(isGlobal, ""))
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")
    .trim()

/** cli.md: the help of every command. */
export const cli = async (): Promise<string> =>
  page(
    "The command",
    "The help of every command. [The nacre command](../operate/command.md) shows them at work.",
    ...(await walkCommands()).map(
      ({ path, help }) =>
        `## ${["nacre", ...path].join(" ")}\n\n\`\`\`text\n${plain(help, path.length === 0)}\n\`\`\``
    )
  )
