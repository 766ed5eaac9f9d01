import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { Failed } from "../failure.ts"
import { ServerFlag } from "../flags.ts"
import { note, report } from "../output.ts"
import { readiness } from "../readiness.ts"
import { declaredVariable } from "./toml.ts"
import { secretNamesNeeded } from "./vars.ts"
import { secretNames, wrangler } from "./wrangler.ts"

/** Fails where the deployed server would lack a secret; goes on where Cloudflare cannot be asked. */
const checkSecrets = Effect.gen(function* () {
  const there = yield* secretNames
  if (there === undefined) {
    return yield* note(
      "Cloudflare does not say which secrets there are; the server will say what is missing."
    )
  }
  const missing = secretNamesNeeded.filter((name) => !there.has(name))
  if (missing.length === 0) return
  return yield* new Failed({
    message: `The Worker lacks the secrets ${missing.join(", ")}`,
    next: missing.map((name) => `npx wrangler secret put ${name}`).join("\n")
  })
})

/** Asks /ready until the server says yes; what its configuration lacks is told at once. */
const waitUntilReady = Effect.fnUntraced(function* (server: string, seconds: number) {
  const asked = Effect.gen(function* () {
    const ready = yield* Effect.orElseSucceed(readiness(server), () => undefined)
    if (ready?.ready === true) return { ready }
    return ready?.problems === undefined
      ? yield* Effect.fail("not yet")
      : { problems: ready.problems }
  })
  const answer = yield* asked.pipe(
    Effect.retry({ schedule: Schedule.spaced("1 second"), times: seconds }),
    Effect.mapError(
      () =>
        new Failed({
          message: `${server} is deployed, but does not become ready`,
          next: "Does its domain lead to the Worker? See: nacre status, and npx wrangler tail"
        })
    )
  )
  if (answer.problems === undefined) return answer.ready
  return yield* new Failed({
    message: `${server} is deployed, but its configuration cannot be used:\n${answer.problems
      .map(({ variable, message }) => `  ${variable} ${message}`)
      .join("\n")}`,
    next: "Set these, and deploy again."
  })
})

/** `nacre deploy`: onto Cloudflare, and until it answers. */
export const deploy = Command.make(
  "deploy",
  {
    wait: Flag.Int("wait").pipe(
      Flag.withMetavar("seconds"),
      Flag.withDescription("How long to wait for the server"),
      Flag.withDefault(120)
    )
  },
  Effect.fnUntraced(function* ({ wait }) {
    const given = Option.getOrUndefined(yield* ServerFlag)
    const server = (given ?? (yield* declaredVariable("PUBLIC_URL")))?.replace(/\/+$/, "")
    if (server === undefined) {
      return yield* new Failed({
        message:
          "wrangler.toml does not say what the server's address is (PUBLIC_URL under [vars])",
        next: "Set it up first: nacre init"
      })
    }
    yield* checkSecrets
    yield* wrangler(["deploy", "--minify"])
    yield* note(`Waiting for ${server}/ready …`)
    const { version } = yield* waitUntilReady(server, wait)
    yield* report(
      { server, version, ready: true },
      () => `${server} is ready (version ${version}).`
    )
    yield* note("Make the first account: nacre account create. What is to be seen: nacre status")
  })
).pipe(
  Command.withDescription(
    "Check the configuration, deploy onto Cloudflare, and wait until the server is ready"
  )
)
