import * as Effect from "effect/Effect"
import { AccountCodes, type CodePurpose } from "../../../src/services/mail/AccountCodes.ts"
import { CodeOwners } from "../../../src/services/mail/CodeOwners.ts"
import { basic, bearer, type Host } from "./httpHost.ts"
import { ok } from "./httpWorld.ts"

/** A code of an account, as if it had been mailed. */
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

/** The codes that wait to be used where no mail goes out, by their purposes. */
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

/** Somebody who just signed up, with nothing in the repo. */
export interface Newcomer {
  readonly did: string
  readonly handle: string
  readonly email: string
  readonly password: string
  readonly auth: string
}

/** Makes an account with a did:web of the host, by the administrator; with `plc` a did:plc instead. */
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
