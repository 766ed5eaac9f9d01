import * as Effect from "effect/Effect"
import { Config } from "../../../services/host/Config.ts"
import { type Html, html } from "../html.ts"
import type { Owner } from "./owner.ts"

/** A call of the nacre command for an account, as its owner can copy it wherever they are. */
export const commandFor = ({ view }: Owner, call: string): Effect.Effect<Html, never, Config> =>
  Effect.map(
    Config,
    ({ publicUrl }) =>
      html`<code>npx nacre ${call} --account ${view.handle} --server ${publicUrl}</code>`
  )
