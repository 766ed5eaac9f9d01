import * as Effect from "effect/Effect"
import { type SeenFrom, seenFrom } from "../../core/sessions/seenFrom.ts"
import { Config } from "../../services/host/Config.ts"
import { type Device, Devices } from "../../services/oauth/Devices.ts"
import { clientAddress, takePoint } from "../limits/clientLimits.ts"
import { placeOf } from "../sessions/place.ts"
import {
  BrowserRefused,
  checkNavigation,
  checkSameOrigin,
  type Form,
  isOwnPicture,
  readForm
} from "./browser.ts"
import { deviceCookie, keepDevice } from "./cookies.ts"
import { csrfToken, type Purpose, unseal } from "./csrf.ts"
import { rules } from "../../services/limits/rules.ts"
import { spanned } from "../../services/operators/spanned.ts"

/** A browser at a page. */
export interface Visitor {
  readonly device: Device
  /** For each form's hidden field `csrf`. */
  readonly csrf: string
  /** `Set-Cookie` of the response, for a new browser. */
  readonly cookies: ReadonlyArray<string>
}

/** What the owner is shown: “Lisbon, Portugal (203.0.113.7)”, as much of it as is known. */
const withPlace = (address: string, place: string | undefined): string => {
  if (place === undefined) return address
  return address === "unknown" ? place : `${place} (${address})`
}

/** Where a visitor is, for a session that they open. */
export const whereFrom = ({ device }: Visitor): SeenFrom => {
  const [, place] = /^(.+) \([^)]*\)$/.exec(device.address) ?? []
  return seenFrom(device.userAgent, place)
}

const traitsOf = (request: Request) => ({
  userAgent: request.headers.get("user-agent") ?? undefined,
  address: withPlace(clientAddress(request), placeOf(request))
})

const known = Effect.fnUntraced(function* (request: Request) {
  const cookie = deviceCookie(request, yield* Config)
  if (cookie === undefined) return undefined
  return yield* (yield* Devices).find(cookie, traitsOf(request))
})

const welcome = Effect.fnUntraced(function* (request: Request) {
  yield* takePoint(request, rules.newDevice)
  const { device, cookie } = yield* (yield* Devices).create(traitsOf(request))
  return { device, cookies: [keepDevice(cookie, yield* Config)] }
})

/** The visitor of a page, or of a picture on it; a new browser gets its cookie. */
export const visitor = spanned("pages.visitor")(function* (
  request: Request,
  isPicture: boolean = false
) {
  yield* isPicture && isOwnPicture(request) ? Effect.void : checkNavigation(request)
  const device = yield* known(request)
  const found = device === undefined ? yield* welcome(request) : { device, cookies: [] }
  return { ...found, csrf: yield* csrfToken(found.device.id) } satisfies Visitor
})

/** The header with the ticket of a page's script. */
export const ticketHeader = "x-nacre-ticket"

/**
 * The claims of a request from a script of our page: it carries the ticket that the page got on
 * this device.
 */
export const sentByScript = Effect.fn("pages.sentByScript")(function* (
  request: Request,
  purpose: Purpose
) {
  yield* checkSameOrigin(request)
  const device = yield* known(request)
  if (device === undefined) return yield* new BrowserRefused({ reason: "no cookie" })
  const ticket = request.headers.get(ticketHeader) ?? undefined
  const claims = yield* unseal(purpose, device.id, ticket)
  return claims === undefined ? yield* new BrowserRefused({ reason: "csrf" }) : { device, claims }
})

/** A form from one of our pages, shown on the same device. */
export interface Sent {
  readonly visitor: Visitor
  readonly form: Form
}

/** The page of a form; for a pushed request, its fields name it. */
const pageOf = (form: Form): string => {
  const [clientId, requestUri] = [form.get("client_id"), form.get("request_uri")]
  if (clientId === undefined || requestUri === undefined) return "/account"
  return `/oauth/authorize?${new URLSearchParams({ client_id: clientId, request_uri: requestUri })}`
}

/** Parses a form; fails unless its page was ours and shown in this browser. */
export const sentForm = spanned("pages.sentForm")(function* (request: Request) {
  const form = yield* readForm(request)
  const device = yield* known(request)
  const page = pageOf(form)
  if (device === undefined) return yield* new BrowserRefused({ reason: "no cookie", page })
  const csrf = form.get("csrf")
  if (csrf === undefined || (yield* unseal("csrf", device.id, csrf)) === undefined) {
    return yield* new BrowserRefused({ reason: "csrf", page })
  }
  return { visitor: { device, csrf, cookies: [] }, form } satisfies Sent
})
