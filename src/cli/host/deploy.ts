import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../../scripts/project.ts"
import { Failed } from "../failure.ts"
import { ServerFlag } from "../flags.ts"
import { note, report } from "../output.ts"
import { readiness } from "../readiness.ts"
import { declaredSpace } from "../setUp/audience.ts"
import { placeDatabase } from "./database.ts"
import { envFlag, type Environment, theEnvironment } from "./environment.ts"
import { askCloudflare } from "./handing.ts"
import { stepsLeft } from "../setUp/remaining.ts"
import { secretNamesNeeded } from "./vars.ts"
import { wrangler } from "./wrangler.ts"

/** Fails if the deployed server would lack a secret; continues if Cloudflare doesn't answer. */
const checkSecrets = Effect.fnUntraced(function* (environment: Environment) {
  const has = yield* askCloudflare(environment)
  if (secretNamesNeeded.some((name) => has(name) === undefined)) {
    yield* note(
      "Couldn't check the secrets on Cloudflare. The server will report any that are missing."
    )
  }
  const missing = secretNamesNeeded.filter((name) => has(name) === false)
  if (missing.length === 0) return
  return yield* new Failed({
    message: `${environment.worker} has no ${missing.join(", ")} on Cloudflare`,
    next: `Upload the secrets: ${nacre} secret put${environment.words}\nIf you don't have any yet, create them first: ${nacre} init --target cloudflare${environment.words}`
  })
})

/** Polls /ready until the server is ready; reports a faulty configuration at once. */
const waitUntilReady = Effect.fnUntraced(function* (
  server: string,
  { words }: Environment,
  seconds: number
) {
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
          message: `${server} is deployed, but isn't ready yet`,
          next: `A new domain can take a few minutes. Check with: ${nacre} status --server ${server}, or npx wrangler tail${words}`
        })
    )
  )
  if (answer.problems === undefined) return answer.ready
  return yield* new Failed({
    message: `${server} is deployed, but its configuration is invalid:\n${answer.problems
      .map(({ variable, message }) => `  ${variable} ${message}`)
      .join("\n")}`,
    next: "Fix these settings and deploy again."
  })
})

/** Says what is left to do. */
const tellNext = Effect.fnUntraced(function* (environment: Environment, server: string) {
  const host = new URL(String(environment.section.vars?.["PUBLIC_URL"] ?? server)).hostname
  const space = declaredSpace(environment, host)
  const next = yield* stepsLeft(environment, {
    audience: space === undefined ? "me" : "family",
    host,
    server,
    space,
    firstAccount: "new",
    recoveryKey: undefined,
    isPlaced: true
  })
  yield* note(
    ["Next:", ...next, `${nacre} status --server ${server}`].join(next.length === 0 ? " " : "\n  ")
  )
})

/** `nacre deploy`: deploys to Cloudflare and waits until the server responds. */
export const deploy = Command.make(
  "deploy",
  {
    env: envFlag,
    wait: Flag.Int("wait").pipe(
      Flag.withMetavar("seconds"),
      Flag.withDescription("How long to wait until the server is ready"),
      Flag.withDefault(120)
    )
  },
  Effect.fnUntraced(function* ({ env, wait }) {
    const environment = yield* theEnvironment(env)
    const given = Option.getOrUndefined(yield* ServerFlag)
    const declared = environment.section.vars?.["PUBLIC_URL"]
    const server = (given ?? (typeof declared === "string" ? declared : undefined))?.replace(
      /\/+$/,
      ""
    )
    if (server === undefined) {
      return yield* new Failed({
        message: `${environment.file} doesn't set PUBLIC_URL, the address of ${environment.name}`,
        next: `Set up the server first: ${nacre} init --target cloudflare${environment.words}`
      })
    }
    yield* checkSecrets(environment)
    yield* placeDatabase(environment)
    yield* wrangler(["deploy", "--minify"], environment)
    yield* note(`Waiting for ${server}/ready…`)
    const { version } = yield* waitUntilReady(server, environment, wait)
    yield* report(
      { server, version, ready: true },
      () => `${server} is ready (version ${version}).`
    )
    yield* tellNext(environment, server)
  })
).pipe(
  Command.withDescription(
    "Check the configuration, deploy to Cloudflare, and wait until the server is ready"
  )
)
