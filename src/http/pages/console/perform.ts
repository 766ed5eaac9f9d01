import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { reaches, type Role } from "../../../core/operators/roles.ts"
import { KnownLexicons } from "../../../services/host/KnownLexicons.ts"
import { Denied } from "../../../services/sessions/Auth.ts"
import type { Authority } from "../../../services/sessions/Authority.ts"
import { CurrentRequest, noteAct } from "../../CurrentRequest.ts"
import { hostMethods } from "../../methods.ts"
import { invalid } from "../../Xrpc.ts"
import type { Operating } from "./operating.ts"

/** The least role that may call a method; undefined if operators can't call it. */
export const roleFor = (authority: Authority | undefined): Role | undefined =>
  authority?.kind === "admin" || authority?.kind === "moderator"
    ? (authority.role ?? authority.kind)
    : undefined

/**
 * Calls an operator's XRPC method for the console: with the method's own checks of role and input,
 * and its own entry in the audit log.
 */
export const perform = Effect.fn("console.perform")(function* <Output = void>(
  { view, role }: Operating,
  nsid: string,
  given: {
    readonly params?: Readonly<Record<string, string | undefined>>
    readonly input?: object
  }
) {
  const declared = hostMethods.get(nsid)
  const needed = roleFor(declared?.authority)
  if (declared === undefined || needed === undefined || !reaches(role, needed)) {
    return yield* new Denied({ error: "Forbidden", message: `This takes the role ${needed}` })
  }
  yield* noteAct({ act: nsid })
  const lexicons = yield* KnownLexicons
  const query = Object.entries(given.params ?? {}).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, value]]
  )
  const params = lexicons.parseParams(nsid, new URLSearchParams(query))
  if (Result.isFailure(params)) return yield* invalid(params.failure)
  const input =
    given.input === undefined ? Result.succeed(undefined) : lexicons.checkInput(nsid, given.input)
  if (Result.isFailure(input)) return yield* invalid(input.failure)
  const { request } = yield* CurrentRequest
  const answer = yield* declared.handler({
    nsid,
    params: params.success,
    input: input.success,
    caller: { kind: "operator", did: view.did, role },
    request
  })
  // SAFETY: the caller names the method's published output.
  return answer as Output
})
