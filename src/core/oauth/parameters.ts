import * as Result from "effect/Result"
import { calledName } from "../identity/calledName.ts"
import { isSupportedDid } from "../identity/did.ts"
import { isHandle } from "../lexicon/syntax.ts"
import { isChallenge } from "./pkce.ts"
import { matchesRedirect } from "./redirectUri.ts"
import { scopeValues } from "./scopeSyntax.ts"
import type { AuthorizationRequest, Client, OAuthErrorName, Prompt, ResponseMode } from "./types.ts"

/** Why a pushed request is rejected; `reason` is for the client's developer. */
export interface ParameterFault {
  readonly error: OAuthErrorName
  readonly reason: string
}

type Checked<A> = Result.Result<A, ParameterFault>

/** A form's parameters, each at most once. */
export type Form = ReadonlyMap<string, string>

const refuse = (reason: string, error: OAuthErrorName = "invalid_request"): Checked<never> =>
  Result.fail({ error, reason })

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

const short = (form: Form, name: string): Checked<string | undefined> => {
  const value = given(form, name)
  return value !== undefined && value.length > maxText
    ? refuse(`${name} is too long`)
    : Result.succeed(value)
}

const readRedirect = (client: Client, form: Form): Checked<string> => {
  const uri = given(form, "redirect_uri")
  if (uri === undefined) {
    const [only, ...others] = client.redirectUris
    if (only !== undefined && others.length === 0) return Result.succeed(only)
    return refuse("redirect_uri is missing, and the client has registered several")
  }
  if (matchesRedirect(client, uri)) return Result.succeed(uri)
  return refuse("redirect_uri is not one that the client has registered")
}

const readState = (form: Form): Checked<string> =>
  Result.flatMap(short(form, "state"), (state) =>
    state === undefined ? refuse("state is missing") : Result.succeed(state)
  )

const readChallenge = (form: Form): Checked<string> => {
  const challenge = given(form, "code_challenge")
  if (challenge === undefined) return refuse("code_challenge is missing")
  // The default would be plain (RFC 7636, section 4.3).
  if (given(form, "code_challenge_method") !== "S256") {
    return refuse("code_challenge_method must be S256")
  }
  if (isChallenge(challenge)) return Result.succeed(challenge)
  return refuse("code_challenge is not the base64url of a SHA-256")
}

const readScope = (form: Form): Checked<string> => {
  const scope = given(form, "scope")
  if (scope === undefined) return refuse("scope is missing", "invalid_scope")
  if (scope.length > maxScope) return refuse("scope is too long", "invalid_scope")
  if (scopeValues(scope) !== undefined) return Result.succeed(scope)
  return refuse("scope must be words with one space between them", "invalid_scope")
}

const readPrompt = (client: Client, form: Form): Checked<Prompt | undefined> => {
  const prompt = given(form, "prompt")
  if (prompt === undefined) return Result.succeed(prompt)
  if (!isPrompt(prompt)) {
    return refuse("prompt must be one of none, login, consent, select_account, create")
  }
  // Anyone can claim to be a public client, so the user must be asked.
  if (prompt === "none" && client.authMethod === "none") {
    return refuse("a public client cannot sign in silently", "consent_required")
  }
  return Result.succeed(prompt)
}

const readLoginHint = (form: Form): Checked<string | undefined> =>
  Result.flatMap(short(form, "login_hint"), (hint) => {
    const name = hint === undefined ? undefined : normalizeHint(hint)
    return hint !== undefined && name === undefined
      ? refuse("login_hint must be a handle, a DID or an email address")
      : Result.succeed(name)
  })

const readResponseMode = (form: Form): Checked<ResponseMode> => {
  const mode = given(form, "response_mode") ?? "query"
  if (isResponseMode(mode)) return Result.succeed(mode)
  return refuse("response_mode must be query, fragment or form_post")
}

const readDisplay = (form: Form): Checked<string | undefined> => {
  const display = given(form, "display")
  if (display === undefined || displays.has(display)) return Result.succeed(display)
  return refuse("display must be one of page, popup, touch, wap")
}

const readLocales = (form: Form): Checked<string | undefined> => {
  const locales = given(form, "ui_locales")
  const isList =
    locales === undefined || /^[A-Za-z0-9-]{1,35}( [A-Za-z0-9-]{1,35}){0,31}$/.test(locales)
  if (isList) return Result.succeed(locales)
  return refuse("ui_locales must be language tags with one space between them")
}

const checkResponseType = (form: Form): Checked<void> => {
  const type = given(form, "response_type")
  if (type === undefined) return refuse("response_type is missing")
  if (type === "code") return Result.succeed(undefined)
  return refuse("response_type must be code", "unsupported_response_type")
}

/**
 * Validates the parameters of a pushed authorization request by the rules and the client's
 * metadata.
 *
 * Checks only the scope's syntax. Ignores unknown parameters.
 */
export const checkParameters = (client: Client, form: Form): Checked<AuthorizationRequest> =>
  Result.gen(function* () {
    // RFC 9126, section 2.1; and requests as JWTs (RFC 9101) are not supported.
    for (const name of ["request", "request_uri"]) {
      if (given(form, name) !== undefined) return yield* refuse(`${name} cannot be pushed`)
    }
    if (given(form, "client_id") !== client.id) {
      return yield* refuse("client_id is another client's")
    }
    yield* checkResponseType(form)
    const optional = {
      prompt: yield* readPrompt(client, form),
      loginHint: yield* readLoginHint(form),
      nonce: yield* short(form, "nonce"),
      display: yield* readDisplay(form),
      uiLocales: yield* readLocales(form)
    }
    return {
      clientId: client.id,
      redirectUri: yield* readRedirect(client, form),
      scope: yield* readScope(form),
      state: yield* readState(form),
      codeChallenge: yield* readChallenge(form),
      responseMode: yield* readResponseMode(form),
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined))
    }
  })
