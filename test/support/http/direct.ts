import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { answerDirectly } from "../../../src/http/directPath.ts"
import type { HostServices } from "../../../src/http/host.ts"
import { Accounts } from "../../../src/services/accounts/Accounts.ts"
import { RequestId } from "../../../src/services/host/RequestId.ts"
import type { Host } from "./httpHost.ts"

/** How often accounts' objects were asked in each way. */
export interface Ways {
  forwarded: number
  asked: number
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
          return forward(did, new Request(url, { headers }))
        }
      }
      const services = Context.add(context, Accounts, { ...accounts, ...now })
      return Effect.promise(() => Promise.resolve(answerDirectly(request, services)))
    })
  )
