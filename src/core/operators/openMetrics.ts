/** A value with its labels. */
export interface Sample {
  readonly value: number
  readonly labels?: Readonly<Record<string, string>>
}

/** A metric family. A counter's samples get the suffix `_total`; a name ends with its unit. */
export interface Family {
  readonly name: string
  readonly type: "gauge" | "counter" | "info"
  readonly unit?: "seconds" | "bytes"
  readonly help: string
  readonly samples: ReadonlyArray<Sample>
}

/** The media type of OpenMetrics text. */
export const openMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

const escaped = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")

const labelsOf = (labels: Sample["labels"] = {}): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`
}

const suffixes = { gauge: "", counter: "_total", info: "_info" } as const

/** The exposition of the families. Spec: OpenMetrics 1.0. */
export const openMetrics = (families: ReadonlyArray<Family>): string => {
  const lines = families.flatMap(({ name, type, unit, help, samples }) => [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${escaped(help)}`,
    ...samples.map(
      ({ labels, value }) => `${name}${suffixes[type]}${labelsOf(labels)} ${String(value)}`
    )
  ])
  return `${[...lines, "# EOF"].join("\n")}\n`
}
