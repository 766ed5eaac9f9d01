import * as Effect from "effect/Effect"
import { variable } from "../flags.ts"

/** Whether the command runs over SSH, where no browser opens. */
export const isRemote = Effect.gen(function* () {
  return ((yield* variable("SSH_CONNECTION")) ?? (yield* variable("SSH_TTY"))) !== undefined
})

/** How to sign in to Cloudflare from here, after a colon. */
export const signInHint = Effect.map(isRemote, (remote) =>
  remote
    ? "set CLOUDFLARE_API_TOKEN to a token from https://dash.cloudflare.com/profile/api-tokens (template: Edit Cloudflare Workers, with D1 added), because no browser opens over SSH"
    : "npx wrangler login"
)
