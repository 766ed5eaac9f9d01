import * as Effect from "effect/Effect"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { Directory } from "../../../../services/accounts/Directory.ts"
import { Config } from "../../../../services/host/Config.ts"
import { keepMove } from "../../cookies.ts"
import { redirectTo } from "../../layout.ts"
import { moveIn as text } from "../../text/moveIn.ts"
import { visitor } from "../../visitor.ts"
import { pathOf } from "../frame.ts"
import { findOwner } from "../owner.ts"
import { bringing, returned } from "./byOAuth.ts"
import { formPage } from "./start.ts"

/** `GET /account/move-in/return`: the browser comes back from the old server's sign-in. */
export const lookAtReturn = Effect.fn("account.returnToMoveIn")(function* (
  request: Request,
  url: URL
) {
  const config = yield* Config
  const visiting = yield* visitor(request)
  const back = yield* returned(request, url, visiting)
  if (back === undefined) return redirectTo(pathOf("move-in"), config)
  const { did, from, tokens, filled, resumes } = back
  const here = { ...visiting, cookies: [keepMove("", config, 0)] }
  const host = new URL(from).host
  if (tokens === undefined && !resumes) {
    return yield* formPage(here, filled, { text: text.notSignedIn(host) })
  }
  if (resumes) {
    const found = yield* findOwner(visiting, did)
    if (tokens !== undefined && found.kind === "owner" && found.owner.view.arriving) {
      yield* (yield* Accounts).call(did, "beginMoveIn", { from, there: tokens })
    }
    return redirectTo(pathOf("moving", { account: did }), config, here.cookies)
  }
  if (tokens === undefined) return redirectTo(pathOf("move-in"), config, here.cookies)
  if ((yield* (yield* Directory).byDid(did)) !== undefined) {
    return yield* formPage(here, filled, { text: text.begun, field: "identifier" })
  }
  const grant = yield* bringing(visiting, { did, from, tokens })
  return yield* formPage(here, new Map([...filled, ["grant", grant]]), undefined, host)
})
