import { variableNames, variables } from "../../src/core/host/variables.ts"
import { variableTexts } from "../../src/core/host/variableTexts.ts"
import { code, page, table } from "./page.ts"

/** configuration.md: the variables. */
export const configuration = (): string =>
  page(
    "Configuration",
    "The server reads its variables once, at the start, and reports every problem at once. Lists are separated by commas. Switches take `on`, `off`, `true`, `false`, `1` and `0`. An empty value counts as not set. On Cloudflare, variables go into `[vars]` of the wrangler configuration and secrets into `npx nacre secret`; a local server also reads `.dev.vars` and the environment.",
    table(
      ["variable", "default", "meaning"],
      variableNames.map((name) => {
        const { default: otherwise = "*required*", meaning } = variableTexts[name]
        return [code(name), otherwise, `${"secret" in variables[name] ? "secret: " : ""}${meaning}`]
      })
    )
  )
