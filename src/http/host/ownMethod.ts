/** A lexicon document, version 1 of the language; checked when the server is created. */
export interface LexiconDocument {
  readonly lexicon: number
  readonly id: string
  readonly defs: Readonly<Record<string, object>>
}

/**
 * Who may call a method.
 *
 * - `"public"`: everyone; credentials are ignored.
 * - `"admin"`: the administrator, by HTTP Basic authentication.
 * - `"service"`: any account of the network, by a service token for this method.
 * - `account`: an account of this server that is signed in and active. `"full"` takes the account's password only,
 *   `"privileged"` also app passwords with access to direct messages, `"standard"` every app password.
 *   `apps` says what an OAuth app needs: `"permission"` (the default) is the scope
 *   `rpc:<nsid>?aud=<this server's DID>#atproto_pds`, `"any"` is any session of an app, `"none"` refuses apps.
 */
export type MethodAccess =
  | "public"
  | "admin"
  | "service"
  | {
      readonly account: "full" | "privileged" | "standard"
      readonly apps?: "permission" | "any" | "none"
    }

/** Who called: an account of this server, an account of the network (`service`), the administrator, or anyone. */
export type MethodCaller =
  | { readonly kind: "account"; readonly did: string; readonly clientId?: string }
  | { readonly kind: "service"; readonly did: string }
  | { readonly kind: "admin" }
  | { readonly kind: "anyone" }

/** One call of a method; `params` and `input` have passed the lexicon. */
export interface MethodCall<
  Env = unknown,
  Params = Readonly<Record<string, unknown>>,
  Input = unknown
> {
  readonly nsid: string
  readonly params: Params
  /** The body's JSON; its bytes if the lexicon has another encoding; undefined for a query. */
  readonly input: Input
  readonly caller: MethodCaller
  readonly env: Env
  /** The request; its body has been read. */
  readonly request: Request
}

/** An XRPC method of your own, served like the server's: authorized, validated, rate-limited, logged. */
export interface XrpcMethod<
  Env = unknown,
  Params = Readonly<Record<string, unknown>>,
  Input = unknown
> {
  /** The document whose `main` is the query or procedure; its `id` is the method's name. */
  readonly lexicon: LexiconDocument
  /** Who may call. There is no default: creating the server fails for a method without it. */
  readonly access: MethodAccess
  /** Limits for each client address, in addition to the server's general ones. */
  readonly limits?: ReadonlyArray<{ readonly limit: number; readonly windowSeconds: number }>
  /** The largest body, in bytes after decompression; JSON_LIMIT by default. */
  readonly bodyLimit?: number
  /** Returns JSON, a Response, or nothing. Throw an XrpcError to respond with an error. */
  handler(
    call: MethodCall<Env, Params, Input>
  ): object | Response | undefined | void | Promise<object | Response | undefined | void>
}

/**
 * An error response of a method.
 *
 * @example
 *
 * - throw new XrpcError("NotAMember", "Join the group first", 403)
 */
export class XrpcError extends Error {
  override readonly name = "XrpcError"
  /** The error's name, as the lexicon declares it. */
  readonly error: string
  /** The HTTP status, from 400 to 599. */
  readonly status: number

  constructor(error: string, message: string, status = 400) {
    super(message)
    this.error = error
    this.status = status
  }
}
