import { html } from "../pages/html.ts"
import type { Page } from "../pages/layout.ts"
import { account as accountLine, hidden } from "../pages/parts.ts"
import { cancel, carriedBy, type HereAccount, linkTo, paths, type Visit } from "./authorizeVisit.ts"
import { asSentence, common } from "../pages/text/common.ts"
import { inactive as text } from "../pages/text/consent.ts"

/** The page for an inactive account: its owner can reactivate one that has not moved to another server. */
export const inactivePage = (
  visit: Visit,
  account: HereAccount,
  home: string | undefined,
  suspendedFor?: string
): Page => {
  const line = html`<div class="who">${accountLine(account.handle, account.status)}</div>`
  const other = html`<a class="button quiet" href="${linkTo(visit, { page: "choose" })}"
    >${common.useAnotherAccount}</a
  >`
  if (home !== undefined) {
    const body = html`<h1>${text.movedHeading}</h1>
      ${line}
      <p>${text.moved(home)}</p>
      ${visit.hint === undefined && other} ${cancel(visit)}`
    return { title: text.movedHeading, body }
  }
  if (account.status === "deactivated") {
    const body = html`<h1>${text.deactivatedHeading}</h1>
      ${line}
      <p>${text.deactivated}</p>
      <form method="post" action="${paths.reactivate}">
        ${hidden({ ...carriedBy(visit), account: account.did })}
        <button type="submit">${text.reactivate}</button>
      </form>
      ${visit.hint === undefined && other} ${cancel(visit)}`
    return { title: text.deactivatedTitle, body }
  }
  const isSuspended = suspendedFor !== undefined
  const body = html`<h1>${isSuspended ? text.suspendedHeading : text.takenDownHeading}</h1>
    ${line}
    <p>${isSuspended ? text.suspended(asSentence(suspendedFor)) : text.takenDown}</p>
    ${visit.hint === undefined && other} ${cancel(visit)}`
  return { title: text.takenDownTitle, body, status: 403 }
}
