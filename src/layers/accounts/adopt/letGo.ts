import { countOf } from "./sourceAccounts.ts"
import type { SourceDatabase } from "./sourceDatabase.ts"
import type { SourceVariables } from "./sourcePlaces.ts"

const counted = (count: number, words: string): ReadonlyArray<string> =>
  count === 0 ? [] : [`${count} ${words}`]

/** What of a reference PDS has no place here, in words. */
export const hostLetGo = (
  accounts: SourceDatabase,
  variables: SourceVariables,
  /** The sign-ins of OAuth apps that are kept, and the remembered permissions. */
  { apps, consents }: { readonly apps: number; readonly consents: number }
): ReadonlyArray<string> => [
  ...counted(
    countOf(accounts, "token") - apps,
    "sign-ins of OAuth apps that have expired or have no refresh token"
  ),
  ...counted(countOf(accounts, "account_device"), "browsers signed in to the account pages"),
  ...counted(
    countOf(accounts, "authorized_client") - consents,
    "remembered permissions of OAuth apps in an unknown form"
  ),
  ...counted(countOf(accounts, "authorization_request"), "authorizations that were going on"),
  ...counted(countOf(accounts, "email_token"), "mailed codes: people ask for new ones"),
  ...counted(
    countOf(accounts, "refresh_token", "nextId IS NOT NULL"),
    "refresh tokens that were used in the last two hours"
  ),
  ...(variables["PDS_JWT_SECRET"] === undefined
    ? ["all sessions of apps: the variables lack PDS_JWT_SECRET"]
    : []),
  ...(variables["PDS_EMAIL_SMTP_URL"] === undefined
    ? []
    : ["PDS_EMAIL_SMTP_URL: set MAILER=http and a provider's HTTP API to send email"]),
  ...(variables["PDS_DPOP_SECRET"] === undefined ? [] : ["PDS_DPOP_SECRET, which is not needed"]),
  "the old stream's events: every account sends a new #sync"
]
