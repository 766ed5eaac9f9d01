const notice = "<!-- Written by `npm run docs`. Change the declarations in code instead. -->"

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ")

/** A table in Markdown. */
export const table = (
  head: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): string =>
  [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map(cell).join(" | ")} |`)
    .join("\n")

/** A generated page. */
export const page = (title: string, ...parts: ReadonlyArray<string>): string =>
  `${[`# ${title}`, notice, ...parts].join("\n\n")}\n`

/** A text in code style. */
export const code = (text: string): string => `\`${text}\``
