import * as Effect from "effect/Effect"
import { AccountCodes, type CodePurpose } from "../../../src/services/mail/AccountCodes.ts"
import { CodeOwners } from "../../../src/services/mail/CodeOwners.ts"
import { basic, bearer, type Host } from "./httpHost.ts"
import { ok } from "./httpWorld.ts"

/** Creates a code for an account, as if it had been mailed. */
export const codeFor = (host: Host, did: string, purpose: CodePurpose): Promise<string> =>
  host.inside(
    did,
    Effect.gen(function* () {
      const codes = yield* AccountCodes
      const made = yield* codes.make(did, purpose, { readable: false })
      if (purpose === "reset_password") {
        yield* (yield* CodeOwners).put(made.code, { did, expiresAt: made.expiresAt })
      }
      return made.code
    })
  )

/** The unused codes of a server without mail, by purpose. */
export const waitingCodes = async (
  host: Host,
  did: string
): Promise<Partial<Record<CodePurpose, string>>> => {
  const pending = await host.inside(
    did,
    Effect.flatMap(AccountCodes, (codes) => codes.pending(did))
  )
  return Object.fromEntries(pending.map(({ purpose, code }) => [purpose, code]))
}

/** A person who has just signed up, with an empty repo. */
export interface Newcomer {
  readonly did: string
  readonly handle: string
  readonly email: string
  readonly password: string
  readonly auth: string
}

/** Creates an account as the administrator with a did:web of the host, or with `plc` a did:plc. */
export const newcomer = async (
  host: Host,
  name: string,
  options: { readonly plc?: true } = {}
): Promise<Newcomer> => {
  const person = {
    handle: `${name}.test`,
    email: `${name}@mail.example.com`,
    password: `${name}'s own password`
  }
  const did = options.plc === true ? {} : { did: `did:web:${name}.test` }
  const nsid = "com.atproto.server.createAccount"
  const made = ok(await host.call(nsid, { input: { ...person, ...did }, auth: basic() }))
  return { ...person, did: made["did"], auth: bearer(made["accessJwt"]) }
}
