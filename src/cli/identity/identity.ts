import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import { accountArgument, meant } from "../account/people.ts"
import { Unwell } from "../failure.ts"
import { wholeHandle } from "../handles.ts"
import { facts, report, type Style } from "../output.ts"
import { theServer } from "../place.ts"
import { type Check, checksOf } from "./checks.ts"
import { lookUp } from "./lookup.ts"

/** Checks as lines: result, name, finding and fix. */
export const checkLines = (checks: ReadonlyArray<Check>, { good, bad }: Style): string =>
  checks
    .map(({ name, ok, detail, fix }) => {
      const line = `${ok ? good("ok  ") : bad("FAIL")} ${name}: ${detail}`
      return fix === undefined ? line : `${line}\n     ${fix.replaceAll("\n", "\n     ")}`
    })
    .join("\n")

/** Fails if a check failed. */
export const unlessWell = (checks: ReadonlyArray<Check>) => {
  const faults = checks.filter(({ ok }) => !ok).length
  return faults === 0 ? Effect.void : Effect.fail(new Unwell({ faults }))
}

/** `nacre identity` */
export const identity = Command.make(
  "identity",
  { account: accountArgument },
  Effect.fnUntraced(function* ({ account }) {
    const server = yield* theServer
    const found = yield* lookUp(server, yield* wholeHandle(server, yield* meant(account)))
    const checks = checksOf(found, server)
    yield* report({ ...found, checks }, (_, style) => {
      const keys = found.rotationKeys?.map(
        (key, index) => [`Rotation key ${index + 1}`, key] as const
      )
      const who = facts([["Handle", found.handle], ["DID", found.did], ...(keys ?? [])])
      return `${who}\n\n${checkLines(checks, style)}`
    })
    yield* unlessWell(checks)
  })
).pipe(
  Command.withDescription(
    "Check that a handle and its DID point to each other, and find missing DNS records or files"
  ),
  Command.withExamples([
    {
      command: "nacre identity alice.example.com",
      description: "Checks a handle"
    }
  ])
)
