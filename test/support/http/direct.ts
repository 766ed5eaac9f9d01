import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { answerDirectly } from "../../../src/http/directPath.ts"
import type { HostServices } from "../../../src/http/host.ts"
import { accountMethods } from "../../../src/http/methods.ts"
import { Accounts } from "../../../src/services/accounts/Accounts.ts"
import { RequestId } from "../../../src/services/host/RequestId.ts"
import type { Host } from "./httpHost.ts"

/** How often accounts' objects were asked in each way. */
export interface Ways {
  forwarded: number
  asked: number
  /** Whether the objects don't know the Worker's questions. */
  readonly isOld?: boolean
}

/** The response without a fiber, if the request is one for it, as where the platform has objects. */
export const direct = (
  host: Pick<Host, "beneath">,
  request: Request,
  ways: Ways = { forwarded: 0, asked: 0 }
): Promise<Response | undefined> =>
  host.beneath(
    Effect.contextWith((context: Context.Context<HostServices>) => {
      const accounts = Context.get(context, Accounts)
      const forward = (did: string, sent: Request, id?: string) =>
        Effect.runPromiseWith(context)(
          Effect.provideService(accounts.forward(did, sent), RequestId, id)
        )
      const now: Partial<Accounts["Service"]> = {
        forwardNow: (did, sent, id) => {
          ways.forwarded += 1
          return forward(did, sent, id)
        },
        askNow: (did, url, headers = {}) => {
          ways.asked += 1
          return ways.isOld === true
            ? Promise.resolve(new Response("{}", { status: 400 }))
            : forward(did, new Request(url, { headers }))
        }
      }
      const services = Context.add(context, Accounts, { ...accounts, ...now })
      return Effect.promise(() => Promise.resolve(answerDirectly(request, services)))
    })
  )

/** A method of an account's object. */
export type AccountMethod = typeof accountMethods extends ReadonlyMap<string, infer M> ? M : never

/** Runs with another declaration of a method. */
const declaredAs = <A>(
  method: AccountMethod,
  other: AccountMethod,
  run: () => Promise<A>
): Promise<A> => {
  // SAFETY: the table is a map, which only tests change.
  const table = accountMethods as Map<string, AccountMethod>
  table.set(method.nsid, other)
  return run().finally(() => table.set(method.nsid, method))
}

/** Runs while a method's calls all take a fiber. */
export const withFiber = <A>(method: AccountMethod, run: () => Promise<A>): Promise<A> => {
  const { atOnce: _, soon: __, ...rest } = method
  return declaredAs(method, rest, run)
}

/** Runs while a method's calls fail in a fiber. */
export const withoutFiber = <A>(method: AccountMethod, run: () => Promise<A>): Promise<A> =>
  declaredAs(method, { ...method, handler: () => Effect.die("a fiber was taken") }, run)
