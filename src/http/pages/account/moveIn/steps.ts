import * as Effect from "effect/Effect"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { Config } from "../../../../services/host/Config.ts"
import { oldHome, signInThere } from "../../../accounts/moveIn/begin.ts"
import {
  copyBlobs,
  copyPreferences,
  copyRecords,
  retryBlobs
} from "../../../accounts/moveIn/copy.ts"
import { leadsHere, pointHere, requestCode } from "../../../accounts/moveIn/identity.ts"
import { callThere, type MoveInFailed } from "../../../accounts/moveIn/call.ts"
import { callHere, here, Moving, there } from "../../../accounts/moveIn/remote.ts"
import { revokeOAuth } from "../../../accounts/moveIn/oauth.ts"
import { CurrentRequest } from "../../../CurrentRequest.ts"
import { type Failure, wireError } from "../../../errors.ts"
import type { Form } from "../../browser.ts"
import { html } from "../../html.ts"
import { note, type Wrong } from "../../parts.ts"
import { moveIn, moving as text } from "../../text/moveIn.ts"
import { settings } from "../../text/settings.ts"
import { type Action, framed, type Handled, hrefOf } from "../frame.ts"
import { shown } from "../../layout.ts"
import type { Owner } from "../owner.ts"
import { goToOld, onward } from "./byOAuth.ts"
import { wrongAtOld } from "./start.ts"
import { movingOf, nextStep, page, type Said, withoutStanding, wrongOf } from "./moving.ts"
type Stepped = Effect.Effect<
  Said | undefined,
  Failure | MoveInFailed,
  Effect.Services<Handled<void>>
>

/** Runs a step of the owner's move, and shows the page with its result. */
const stepping = (run: (owner: Owner, moving: Moving, form: Form) => Stepped): Action["run"] =>
  Effect.fnUntraced(function* (owner, form) {
    const moving = yield* movingOf(owner)
    if (moving === undefined) return shown(yield* page(owner))
    const host = new URL(moving.notes.from).host
    const said = yield* run(owner, moving, form).pipe(
      Effect.catchTags(
        { MoveInFailed: (failure) => Effect.succeed<Said>({ wrong: wrongOf(failure, host) }) },
        (failure): Handled<Said> =>
          wireError(failure).status >= 500
            ? Effect.fail(failure)
            : Effect.succeed({ wrong: { text: text.importFailed } })
      )
    )
    return shown(yield* said?.page === undefined ? page(owner, said) : Effect.succeed(said.page))
  })

const donePage = (owner: Owner, moving: Moving, isLeft: boolean) => {
  const host = new URL(moving.notes.from).host
  return framed(withoutStanding(owner), {
    title: text.doneTitle,
    tab: "",
    body: html`<p class="lead">${text.done}</p>
      ${!isLeft && note("warn", text.leftActive(host))}
      <p>${text.keyLead}</p>
      <a class="button" href="${hrefOf(owner, "keys")}">${settings.recoveryKey}</a>`
  })
}

/** Activates the account here, deactivates the old one, and ends the sessions of the move. */
const finish = Effect.fnUntraced(function* (owner: Owner, moving: Moving) {
  const { did } = moving
  const end = { method: "POST" } as const
  yield* here(moving, "com.atproto.server.activateAccount", end)
  const isLeft = yield* there(moving, "com.atproto.server.deactivateAccount", { input: {} }).pipe(
    Effect.as(true),
    Effect.catchTag("MoveInFailed", () => Effect.succeed(false))
  )
  const nsid = "com.atproto.server.deleteSession"
  const { from, here: own, there: old } = moving.notes
  // The sessions expire by themselves.
  if (old !== undefined) {
    const { grant, refreshJwt: auth } = old
    yield* Effect.ignore(
      grant === undefined ? callThere(from, nsid, { ...end, auth }) : revokeOAuth(grant, auth)
    )
  }
  yield* Effect.ignore(callHere(did, nsid, { ...end, auth: own.refreshJwt }))
  yield* (yield* Accounts).call(did, "endMoveIn")
  return { page: donePage(owner, moving, isLeft) }
})

/** Takes the next step of a move, or a part of it. */
export const takeStep: Action = {
  page: "moving",
  run: stepping(
    Effect.fnUntraced(function* (owner, moving): Effect.fn.Return<
      Said | undefined,
      Effect.Error<Stepped>,
      Effect.Services<Stepped>
    > {
      switch (yield* nextStep(moving)) {
        case "records":
          return yield* Effect.as(copyRecords(moving), undefined)
        case "blobs":
          return yield* Effect.as(copyBlobs(moving), undefined)
        case "preferences":
          return yield* Effect.as(copyPreferences(moving), undefined)
        case "identity":
          return undefined
        case "activation":
          return yield* finish(owner, moving)
      }
    })
  )
}

/** Tries the files again that were set aside. */
export const retryMissing: Action = {
  page: "moving",
  run: stepping((_, moving) =>
    Effect.as(Effect.andThen(retryBlobs(moving), copyBlobs(moving)), undefined)
  )
}

/** Has the old server send the code that confirms the move. */
export const sendOldCode: Action = {
  page: "moving",
  run: stepping((_, moving) => Effect.as(requestCode(moving), { good: text.codeSent }))
}

/** Points the identity here, by the old server's code, and activates the account. */
export const confirmMove: Action = {
  proof: true,
  page: "moving",
  run: stepping(
    Effect.fnUntraced(function* (owner, moving, form) {
      const step = yield* nextStep(moving)
      if (step === "identity") yield* pointHere(moving, (form.get("code") ?? "").trim())
      else if (step !== "activation") return undefined
      if (!(yield* leadsHere(moving.did))) return { wrong: { text: text.notYet } }
      return yield* finish(owner, moving)
    })
  )
}

/** The old server of an account that waits here; undefined for any other account. */
const oldServerOf = Effect.fnUntraced(function* ({ view: { did, arriving } }: Owner) {
  const notes = yield* (yield* Accounts).call(did, "moveIn")
  if (!arriving || notes !== undefined) return arriving ? notes?.from : undefined
  const unknown = () => Effect.succeed(undefined)
  return yield* oldHome(did).pipe(
    Effect.map((old) => (old.isHere ? undefined : old.from)),
    Effect.catchTags({ MoveInFailed: unknown, HandleNotFound: unknown })
  )
})

/** Signs in to the old server again. */
export const signInToOld: Action = {
  page: "moving",
  run: Effect.fn("account.signInToOld")(function* (owner, form) {
    const { did } = owner.view
    const { request } = yield* CurrentRequest
    const again = (wrong: Wrong) => Effect.map(page(owner, { wrong }), shown)
    const from = yield* oldServerOf(owner)
    if (from === undefined) return shown(yield* page(owner))
    const accounts = yield* Accounts
    const credentials = { password: form.get("old") ?? "", code: form.get("code") ?? "" }
    return yield* signInThere(request, { did, from }, credentials).pipe(
      Effect.flatMap(({ accessJwt, refreshJwt }) =>
        accounts.call(did, "beginMoveIn", { from, there: { accessJwt, refreshJwt } })
      ),
      Effect.flatMap(() => page(owner)),
      Effect.map(shown),
      Effect.catchTag("MoveInFailed", (failure) => again(wrongAtOld(failure, new URL(from).host)))
    )
  })
}

/** Signs in to the old server again, on its own pages. */
export const goToOldAgain: Action = {
  page: "moving",
  run: Effect.fn("account.goToOldAgain")(function* (owner, form) {
    const { visitor, view } = owner
    const from = yield* oldServerOf(owner)
    if (from === undefined) return shown(yield* page(owner))
    const went = yield* Effect.catchTag(
      goToOld(visitor, { did: view.did, from }, form, true),
      "MoveInFailed",
      () => Effect.undefined
    )
    if (went === undefined) {
      const wrong = { text: moveIn.noOAuth(new URL(from).host), field: "old" }
      return shown(yield* page(owner, { wrong }))
    }
    const body = onward(from, went.to, (yield* Config).host)
    const framing = { title: text.title, tab: "", body } as const
    return shown({ ...framed(withoutStanding(owner), framing), cookies: [went.cookie] })
  })
}
