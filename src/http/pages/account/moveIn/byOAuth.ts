import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { fromBase64Url, toBase64Url } from "../../../../core/bytes/base64url.ts"
import { queryValue } from "../../../../core/lexicon/params.ts"
import { OldTokens } from "../../../../services/accounts/moveInNotes.ts"
import { Config } from "../../../../services/host/Config.ts"
import { sealer } from "../../../../services/host/sealedSecrets.ts"
import { type Begun, beginOAuth, endOAuth } from "../../../accounts/moveIn/oauth.ts"
import type { Form } from "../../browser.ts"
import { keepMove, moveCookie } from "../../cookies.ts"
import { type Html, html } from "../../html.ts"
import { moveIn as text } from "../../text/moveIn.ts"
import type { Visitor } from "../../visitor.ts"

/** How long the sign-in at the old server may take, in seconds. */
const signInSeconds = 15 * 60

/** How long the form for the account here may take afterwards, in seconds. */
const formSeconds = 3600

const Text = Schema.String

const Old = { did: Text, from: Text, until: Schema.Finite }

/** What a browser carries through the sign-in at the old server. */
const Carried = Schema.fromJsonString(
  Schema.Struct({
    ...Old,
    begun: Schema.Struct({
      issuer: Text,
      token: Text,
      revoke: Schema.optionalKey(Text),
      key: Text,
      verifier: Text,
      state: Text
    }),
    filled: Schema.Record(Text, Text),
    resumes: Schema.Boolean
  })
)

/** What the form for the account here carries. */
const Brought = Schema.fromJsonString(Schema.Struct({ ...Old, tokens: OldTokens }))

const purpose = "moves by OAuth"

const sealed = Effect.fnUntraced(function* (device: string, content: string) {
  const bytes = new TextEncoder().encode(content)
  return toBase64Url(yield* sealer(yield* Config, purpose).seal(device, bytes))
})

/** The content that was sealed for a device, if it hasn't expired. */
const opened = Effect.fnUntraced(function* <A extends { readonly until: number }>(
  schema: Schema.Codec<A, string>,
  device: string,
  text: string | undefined
) {
  const bytes = fromBase64Url(text ?? "")
  const plain = bytes && sealer(yield* Config, purpose).tryOpen(device, bytes)
  if (plain === undefined) return undefined
  const found = Option.getOrUndefined(
    Schema.decodeUnknownOption(schema)(new TextDecoder().decode(plain))
  )
  return found !== undefined && found.until > (yield* Clock.currentTimeMillis) ? found : undefined
})

const inSeconds = (seconds: number) =>
  Effect.map(Clock.currentTimeMillis, (now) => now + seconds * 1000)

/** The fields that the form has again after the sign-in. */
const kept = ["identifier", "invite", "handle", "email"]

/** Begins the sign-in at the old server: its address, and the cookie that the return needs. */
export const goToOld = Effect.fn("account.goToOld")(function* (
  { device }: Visitor,
  old: { readonly did: string; readonly from: string },
  form: Form,
  resumes: boolean
) {
  const { did, from } = old
  const { to, begun } = yield* beginOAuth(from, did)
  const filled = Object.fromEntries(
    kept.map((name) => [name, (form.get(name) ?? "").slice(0, 254)])
  )
  const until = yield* inSeconds(signInSeconds)
  const content = JSON.stringify({ did, from, until, begun, filled, resumes })
  const cookie = keepMove(yield* sealed(device.id, content), yield* Config, signInSeconds)
  return { to, cookie }
})

/** The way to the old server: a form can't lead there, because our policy keeps forms here. */
export const onward = (from: string, to: string, host: string): Html => {
  const there = new URL(from).host
  return html`<p class="lead">${text.onward(there, host)}</p>
    <a class="button" href="${to}">${text.goOn(there)}</a>`
}

/** The button that signs in at the old server instead of with a password here. */
export const byOAuthButton = (action: string): Html =>
  html`<p class="hint">${text.byOAuthHint}</p>
    <button type="submit" class="quiet" formaction="/account/${action}" formnovalidate>
      ${text.byOAuth}
    </button>`

/** What came back from the old server. */
export interface Returned {
  readonly did: string
  readonly from: string
  readonly tokens: OldTokens
  readonly filled: Form
  readonly resumes: boolean
}

/** Ends the sign-in with which the browser returned; undefined if it didn't begin here. */
export const returned = Effect.fn("account.returnedFromOld")(function* (
  request: Request,
  url: URL,
  { device }: Visitor
) {
  const carried = yield* opened(Carried, device.id, moveCookie(request, yield* Config))
  if (carried === undefined) return undefined
  const { did, from, filled, resumes } = carried
  const begun: Begun = carried.begun
  const said = (name: string) => queryValue(url.searchParams, name)
  const code = said("code")
  const old = { did, from, filled: new Map(Object.entries(filled)), resumes }
  const isOurs = said("state") === begun.state && said("iss") === begun.issuer
  if (!isOurs || code === undefined) return { ...old, tokens: undefined }
  const tokens = yield* Effect.catchTag(
    endOAuth(did, begun, code),
    "MoveInFailed",
    () => Effect.undefined
  )
  return { ...old, tokens }
})

/** The hidden field with the session at the old server. */
export const bringing = Effect.fnUntraced(function* (
  { device }: Visitor,
  { did, from, tokens }: Pick<Returned, "did" | "from" | "tokens">
) {
  const until = yield* inSeconds(formSeconds)
  return yield* sealed(device.id, JSON.stringify({ did, from, until, tokens }))
})

/** The session at the old server that a form carries. */
export const broughtBy = ({ device }: Visitor, form: Form) =>
  opened(Brought, device.id, form.get("grant"))
