import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { alertNames } from "../../src/core/operators/alerts.ts"
import { metrics } from "../../src/services/operators/metrics.ts"

const root = join(import.meta.dirname, "../..")
const read = (path: string) => readFileSync(join(root, path), "utf8")

const known = new Set(
  metrics.map(({ name, type }) => (type === "counter" ? `${name}_total` : name))
)

const rules = read("ops/alerts.yml")
  .split("- alert: ")
  .slice(1)
  .map((text) => ({
    alert: text.split("\n")[0]!,
    expr: /expr: (.*)/.exec(text)?.[1] ?? "",
    runbook: /runbook: (\S+)/.exec(text)?.[1] ?? ""
  }))

const metricsIn = (text: string) => [...text.matchAll(/\bnacre_[a-z_]+/g)].map(([name]) => name)

describe("ops", () => {
  it("the alert rules and the dashboard use metrics that exist", () => {
    assert.isAtLeast(rules.length, 8)
    // SAFETY: the file is a dashboard of ours.
    const { panels } = JSON.parse(read("ops/grafana.json")) as {
      panels: ReadonlyArray<{ targets: ReadonlyArray<{ expr: string }> }>
    }
    const shown = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    assert.isAtLeast(shown.length, 12)
    for (const expr of [...rules.map((rule) => rule.expr), ...shown]) {
      for (const name of metricsIn(expr)) assert.isTrue(known.has(name), `${name} in ${expr}`)
    }
  })

  it("every alert, of Prometheus or the watch, has a runbook page with symptom, meaning and command, and every page its alert", () => {
    for (const { alert, expr, runbook } of rules) {
      const page = read(runbook)
      assert.include(page, `Alert \`${alert}\``)
      assert.include(page, expr)
      for (const heading of ["## Symptom", "## Meaning", "## Command"])
        assert.include(page, heading)
      assert.match(page, /```sh\nnpx nacre /)
      assert.include(read("docs/operate/monitoring.md"), `\`${alert}\``)
    }
    for (const kind of alertNames) {
      assert.include(read(`docs/operate/runbook/${kind}.md`), `The watch's alert \`${kind}\`.`)
      assert.include(read("docs/operate/monitoring.md"), `| \`${kind}\` |`)
    }
    const pages = readdirSync(join(root, "docs/operate/runbook")).map(
      (file) => `docs/operate/runbook/${file}`
    )
    assert.deepStrictEqual(pages.toSorted(), rules.map(({ runbook }) => runbook).toSorted())
  })
})
