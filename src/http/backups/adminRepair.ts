import * as Effect from "effect/Effect"
import { queryValue } from "../../core/lexicon/params.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"
import { subjectIn } from "./adminRestore.ts"

/** GET `/admin/repair?account=`: what a repair would change. */
export const examine = Effect.fn("http.examine")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/repair")
  const did = yield* subjectIn(url)
  yield* noteAccount(did)
  return ownAnswer({ did, examined: yield* (yield* Accounts).call(did, "examineRepo") })
})

/** POST `/admin/repair?account=&drop=`: rebuilds tree and references of an account from its records. */
export const repair = Effect.fn("http.repair")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/repair")
  const did = yield* subjectIn(url)
  yield* noteAccount(did)
  const drop = queryValue(url.searchParams, "drop") === "true"
  return ownAnswer({ did, ...(yield* (yield* Accounts).call(did, "repairRepo", { drop })) })
})
