import { calledName } from "../identity/calledName.ts"
import { isSupportedDid } from "../identity/did.ts"
import { isHandle } from "../lexicon/syntax.ts"
import { matchesRedirect } from "./redirectUri.ts"
import { scopeValues } from "./scopeSyntax.ts"
import type { AuthorizationRequest, Client, OAuthErrorName, Prompt, ResponseMode } from "./types.ts"

/** Why a pushed request is rejected; `reason` is for the client's developer. */
export interface ParameterFault {
  readonly error: OAuthErrorName
  readonly reason: string
}

/** A valid request, or its fault. */
export type CheckedParameters =
  | { readonly ok: true; readonly request: AuthorizationRequest }
  | { readonly ok: false; readonly fault: ParameterFault }

/** A form's parameters, each at most once. */
export type Form = ReadonlyMap<string, string>

/** Aborts the check of a request; caught in this file. */
class Refusal extends Error {
  readonly fault: ParameterFault

  constructor(reason: string, error: OAuthErrorName = "invalid_request") {
    super(reason)
    this.fault = { error, reason }
  }
}

const maxText = 2048

/** The scope is stored until the user arrives, so it is limited to some hundred values. */
const maxScope = 16_384

const prompts: ReadonlySet<string> = new Set<Prompt>([
  "none",
  "login",
  "consent",
  "select_account",
  "create"
])
const responseModes: ReadonlySet<string> = new Set<ResponseMode>(["query", "fragment", "form_post"])
const displays: ReadonlySet<string> = new Set(["page", "popup", "touch", "wap"])

const isPrompt = (value: string): value is Prompt => prompts.has(value)
const isResponseMode = (value: string): value is ResponseMode => responseModes.has(value)

const emailAddress = /^[^\s@"<>]{1,64}@[^\s@"<>]{1,253}$/

/** The hint in the form for look-ups; undefined if it isn't a handle, DID or address. */
const normalizeHint = (hint: string): string | undefined => {
  const name = calledName(hint)
  if (name.startsWith("did:")) return isSupportedDid(name) ? name : undefined
  return isHandle(name) || emailAddress.test(name) ? name : undefined
}

/** A parameter without a value counts as missing (RFC 6749, section 3.1). */
const given = (form: Form, name: string): string | undefined => {
  const value = form.get(name)
  return value === "" ? undefined : value
}

const short = (form: Form, name: string): string | undefined => {
  const value = given(form, name)
  if (value !== undefined && value.length > maxText) throw new Refusal(`${name} is too long`)
  return value
}

const readRedirect = (client: Client, form: Form): string => {
  const uri = given(form, "redirect_uri")
  if (uri === undefined) {
    const [only, ...others] = client.redirectUris
    if (only !== undefined && others.length === 0) return only
    throw new Refusal("redirect_uri is missing, and the client has registered several")
  }
  if (matchesRedirect(client, uri)) return uri
  throw new Refusal("redirect_uri is not one that the client has registered")
}

const readState = (form: Form): string => {
  const state = short(form, "state")
  if (state === undefined) throw new Refusal("state is missing")
  return state
}

const readChallenge = (form: Form): string => {
  const challenge = given(form, "code_challenge")
  if (challenge === undefined) throw new Refusal("code_challenge is missing")
  // The default would be plain (RFC 7636, section 4.3).
  if (given(form, "code_challenge_method") !== "S256") {
    throw new Refusal("code_challenge_method must be S256")
  }
  if (/^[A-Za-z0-9_-]{43}$/.test(challenge)) return challenge
  throw new Refusal("code_challenge is not the base64url of a SHA-256")
}

const readScope = (form: Form): string => {
  const scope = given(form, "scope")
  if (scope === undefined) throw new Refusal("scope is missing", "invalid_scope")
  if (scope.length > maxScope) throw new Refusal("scope is too long", "invalid_scope")
  if (scopeValues(scope) !== undefined) return scope
  throw new Refusal("scope must be words with one space between them", "invalid_scope")
}

const readPrompt = (client: Client, form: Form): Prompt | undefined => {
  const prompt = given(form, "prompt")
  if (prompt === undefined) return undefined
  if (!isPrompt(prompt)) {
    throw new Refusal("prompt must be one of none, login, consent, select_account, create")
  }
  // Anyone can claim to be a public client, so the user must be asked.
  if (prompt === "none" && client.authMethod === "none") {
    throw new Refusal("a public client cannot sign in silently", "consent_required")
  }
  return prompt
}

const readLoginHint = (form: Form): string | undefined => {
  const hint = short(form, "login_hint")
  if (hint === undefined) return undefined
  const normalized = normalizeHint(hint)
  if (normalized === undefined)
    throw new Refusal("login_hint must be a handle, a DID or an email address")
  return normalized
}

const readResponseMode = (form: Form): ResponseMode => {
  const mode = given(form, "response_mode") ?? "query"
  if (isResponseMode(mode)) return mode
  throw new Refusal("response_mode must be query, fragment or form_post")
}

const readDisplay = (form: Form): string | undefined => {
  const display = given(form, "display")
  if (display === undefined || displays.has(display)) return display
  throw new Refusal("display must be one of page, popup, touch, wap")
}

const readLocales = (form: Form): string | undefined => {
  const locales = given(form, "ui_locales")
  const isList =
    locales === undefined || /^[A-Za-z0-9-]{1,35}( [A-Za-z0-9-]{1,35}){0,31}$/.test(locales)
  if (isList) return locales
  throw new Refusal("ui_locales must be language tags with one space between them")
}

const readResponseType = (form: Form): void => {
  const type = given(form, "response_type")
  if (type === undefined) throw new Refusal("response_type is missing")
  if (type !== "code") {
    throw new Refusal("response_type must be code", "unsupported_response_type")
  }
}

const read = (client: Client, form: Form): AuthorizationRequest => {
  // RFC 9126, section 2.1; and requests as JWTs (RFC 9101) are not supported.
  for (const name of ["request", "request_uri"]) {
    if (given(form, name) !== undefined) throw new Refusal(`${name} cannot be pushed`)
  }
  if (given(form, "client_id") !== client.id) throw new Refusal("client_id is another client's")
  readResponseType(form)
  const optional = {
    prompt: readPrompt(client, form),
    loginHint: readLoginHint(form),
    nonce: short(form, "nonce"),
    display: readDisplay(form),
    uiLocales: readLocales(form)
  }
  return {
    clientId: client.id,
    redirectUri: readRedirect(client, form),
    scope: readScope(form),
    state: readState(form),
    codeChallenge: readChallenge(form),
    responseMode: readResponseMode(form),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined))
  }
}

/**
 * Validates the parameters of a pushed authorization request by the rules and the client's
 * metadata.
 *
 * Checks only the scope's syntax. Ignores unknown parameters.
 */
export const checkParameters = (client: Client, form: Form): CheckedParameters => {
  try {
    return { ok: true, request: read(client, form) }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, fault: error.fault }
    throw error
  }
}
