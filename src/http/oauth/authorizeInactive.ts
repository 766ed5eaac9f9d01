import { html } from "../pages/html.ts"
import type { Page } from "../pages/layout.ts"
import { account as accountLine, hidden } from "../pages/parts.ts"
import { cancel, carriedBy, type HereAccount, linkTo, paths, type Visit } from "./authorizeVisit.ts"

/** The page for an account that is not active: its owner may end a deactivation, and nothing else. */
export const inactivePage = (visit: Visit, account: HereAccount): Page => {
  const line = html`<div class="who">${accountLine(account.handle, account.status)}</div>`
  const other = html`<a class="button quiet" href="${linkTo(visit, { page: "choose" })}"
    >Use another account</a
  >`
  if (account.status === "deactivated") {
    const body = html`<h1>Your account is deactivated</h1>
      ${line}
      <p>Apps cannot use it as it is. Reactivated, it can be seen in the network again.</p>
      <form method="post" action="${paths.reactivate}">
        ${hidden({ ...carriedBy(visit), account: account.did })}
        <button type="submit">Reactivate and continue</button>
      </form>
      ${visit.hint === undefined && other} ${cancel(visit)}`
    return { title: "Account deactivated", body }
  }
  const body = html`<h1>Your account has been taken down</h1>
    ${line}
    <p>Apps cannot use it. You can ask this server’s administrator about it.</p>
    ${visit.hint === undefined && other} ${cancel(visit)}`
  return { title: "Account taken down", body, status: 403 }
}
