import { routes as declared } from "../../src/http/host.ts"
import { code, page, table } from "./page.ts"

/** The description of each path. A path without one, or a description without a path, fails. */
const texts: Readonly<Record<string, string>> = {
  "/xrpc/_health": "the version; 503 when the directory cannot be reached",
  "/xrpc/*": "the [endpoints](endpoints.md)",
  "/health":
    "whether D1, R2 and the Sequencer answer, each by name, and on one machine whether the disk is full; 503 when one does not; whether the server sends mail",
  "/ready": "the same as `/health`",
  "/.well-known/did.json":
    "the DID document of the account, or the server, whose `did:web` is the requested host",
  "/.well-known/atproto-did": "the DID of the account whose handle is the requested host",
  "/.well-known/oauth-authorization-server": "metadata of the authorization server",
  "/.well-known/oauth-protected-resource": "metadata of the protected resource",
  "/oauth/client-metadata":
    "this server as an OAuth client of the servers from which members move here",
  "/oauth/jwks": "an empty key set: nobody else reads the tokens",
  "/oauth/par": "takes the authorization requests that OAuth clients push",
  "/oauth/token": "gives OAuth clients their tokens",
  "/oauth/revoke": "ends a token",
  "/oauth/authorize": "the page of a pushed request: sign-in, choice, consent, sign-up",
  "/oauth/authorize/sign-in": "a form of that page",
  "/oauth/authorize/code": "a form of that page",
  "/oauth/authorize/passkey": "a form of that page",
  "/oauth/authorize/sign-up": "a form of that page",
  "/oauth/authorize/accept": "a form of that page",
  "/oauth/authorize/reject": "a form of that page",
  "/oauth/authorize/reactivate": "a form of that page",
  "/account/*":
    "the pages of an account, for its owner; `/account/sign-up?invite=` makes an account in a browser",
  "/move-in": "redirects to `/account/move-in`, with the invite of `?invite=`",
  "/.well-known/change-password": "redirects to the page that changes the password",
  "/metrics":
    "what the server measures, as OpenMetrics text, for the bearer of `METRICS_TOKEN`; 404 without that variable",
  "/admin": "the first page of the [console](../operate/console.md), for operators",
  "/admin/console/*": "the console's other pages and its forms",
  "/admin/alerts":
    "for the administrator (HTTP Basic): the watch's open alerts, then those that have ended, and when the watch looked last",
  "/admin/alerts/accept":
    "for admins: says that the owner of `account` made the PLC operation with the `cid` that the alert about it names, which ends the alert",
  "/admin/audit":
    "for the administrator (HTTP Basic): what operators and moderators did, from the newest or after the number `?after=`; `?before=`, `?limit=` (500 at most), `?actor=`, `?act=` and `?subject=` choose",
  "/admin/backups":
    "for the administrator (HTTP Basic): GET lists the backups and says how the last ones ended; POST begins one, or continues `?run=`, and says how far it is",
  "/admin/backups/verify":
    "for the administrator (HTTP Basic): reads back the newest backups of the accounts after `?after=`, every object of them, and names those that are damaged",
  "/admin/backups/drill":
    "for the administrator (HTTP Basic): keeps the result of a drill, in place of the one before; `nacre backup drill --report` sends it",
  "/admin/backups/account":
    "for the administrator (HTTP Basic): the backups of `?account=`, a handle or DID, oldest first",
  "/admin/backups/object":
    "for the administrator (HTTP Basic): the object of a backup that `?key=` names, as it is stored",
  "/admin/backups/objects":
    "for the administrator (HTTP Basic): a page of the backup store's objects below `?prefix=`",
  "/admin/backups/restore":
    "for the administrator (HTTP Basic): restores `?account=` from `?backup=` (default: the newest); with `?replace=true` an account that is here gets the backup's records, blobs and preferences. Call it again while `kind` is `more`",
  "/admin/backups/restore-at":
    "for the administrator (HTTP Basic): puts `?account=` back to the time `?at=` (ISO), where the platform keeps earlier states",
  "/admin/backups/restore-server":
    "for the administrator (HTTP Basic): restores the accounts of `?backup=` (default: the newest) that aren't here, with invites; call it again with the `?cursor=` it returns",
  "/admin/check":
    "for the administrator (HTTP Basic): checks `?account=`: signature, tree, records, counts, references and the bytes of its blobs; continue with `?after=`",
  "/admin/repair":
    "for the administrator (HTTP Basic): GET says what a repair of `?account=` would change; POST rebuilds its tree, references and counts from its records, and with `?drop=true` removes damaged records",
  "/admin/accounts/history":
    "for moderators: what happened to `?account=`, newest first, or before the number `?before=`; `?limit=` (500 at most)",
  "/admin/keys/master":
    "for the administrator (HTTP Basic): continues the rotation of `MASTER_KEY` and says how far it is; call it again until `phase` is `done` or `isHeldUp` is true",
  "/admin/keys/plc":
    "for the administrator (HTTP Basic): continues the rotation of `PLC_ROTATION_KEY` and says how far it is, with the accounts of this call in `reported`; call it again, after `pausedUntil`, until `phase` is `done` or `isHeldUp` is true",
  "/admin/accounts/check":
    "for moderators: whether the owner of `?account=` can sign in, and all reasons",
  "/admin/accounts/suspend":
    "for moderators: suspends `account` with a `reason` that its owner reads at sign-in",
  "/admin/accounts/restore":
    "for moderators: restores an `account` that is suspended or taken down",
  "/admin/accounts/delete":
    "for admins: deactivates `account` and deletes it in three days (`DELETION_DELAY=off`: at once)",
  "/admin/accounts/keep": "for admins: undoes a deletion of `account` that is held back",
  "/admin/accounts/quota":
    "GET for moderators: the bytes of blobs that `?account=` stores (`used`) and may store (`quota`; 0: no limit); POST for admins: gives `account` a quota of its own in `bytes` (0: no limit), or the server's again (null)",
  "/admin/announcements":
    "for admins: GET lists the last announcements with their progress; POST mails `subject` and `text` to all active accounts, or to those in `to` (200 at most), in steps; with `dryRun` it only counts them",
  "/admin/invites":
    "for inviters: creates `codes` invite codes of `uses` each, for `account` or anybody to give away, with a `note` for operators and an end (`expires`: `7d`, a date, or a date with a time)",
  "/admin/invites/tree":
    "for inviters: accounts with who invited them, by DID after `?after=`, 1,000 at most; with `?by=` those whom an account or `admin` invited",
  "/admin/operators":
    "for admins: GET lists the operators; POST gives `account` the `role` (`admin`, `moderator`, `inviter`)",
  "/admin/operators/remove": "for admins: takes the role of `account`",
  "/admin/factors/reset":
    "for admins: turns the authenticator of `account` off, for an owner who lost it, and mails the owner",
  "/admin/mail/test": "for admins: sends a test mail to the address of `account`",
  "/admin/codes":
    "for the administrator (HTTP Basic): the mailed codes of `?account=` that wait to be used, where the server sends no mail",
  "/admin/relays":
    "for the administrator (HTTP Basic): which relays were asked to crawl and what they answered, who reads the event stream, since when and how far; how far behind each `?seq=` is; what the watch last learned of each relay",
  "/admin/relays/ask":
    "for the administrator (HTTP Basic): asks the relay `relay` of a JSON body to crawl now",
  "/admin/relays/disconnect":
    "for the administrator (HTTP Basic): closes the connection of the reader with the `id` of a JSON body",
  "/manage/codes":
    "the mailed codes of an account that wait to be used, where the server sends no mail; for the administrator, or an owner by a session of the main password that began within 15 minutes",
  "/manage/passkeys": "an account's passkeys as JSON; for the same callers as `/manage/codes`",
  "/manage/passkeys/link": "a link that adds a passkey; for the same callers",
  "/manage/passkeys/remove": "removes a passkey; for the same callers",
  "/manage/tokens":
    "an account's access tokens and app passwords as JSON; for the same callers as `/manage/codes`",
  "/manage/tokens/create": "creates an access token, for an owner by a recent session",
  "/manage/tokens/revoke":
    "revokes an access token or app password by name; for the same callers as `/manage/codes`",
  "/passkey": "the page of such a link",
  "/passkey/add": "a form of that page",
  "/tls-check":
    "200 if `?domain=` is the server's host or an account's handle, for proxies that get certificates on demand; else 404",
  "/robots.txt": "lets crawlers in",
  "/": "says what this server is"
}

/** routes.md: every path. */
export const routes = (): string => {
  const paths = new Map<string, Array<string>>()
  for (const { path, verb } of declared) {
    paths.set(path, [...(paths.get(path) ?? []), verb === "*" ? "any" : verb])
  }
  const wrong = [
    ...[...paths.keys()].filter((path) => texts[path] === undefined),
    ...Object.keys(texts).filter((path) => !paths.has(path))
  ]
  if (wrong.length > 0) throw new Error(`paths and texts differ: ${wrong.join(", ")}`)
  return page(
    "Routes",
    "Every path that the server answers. A GET route answers HEAD too; `/*` means everything below.",
    table(
      ["path", "method", "answer"],
      [...paths].map(([path, verbs]) => [code(path), verbs.join(", "), texts[path]!])
    )
  )
}
