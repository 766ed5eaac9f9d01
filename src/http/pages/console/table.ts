import type { ConsoleAction, ConsoleName, ConsolePage } from "./frame.ts"
import { createInvites, disableInvite, invitesPage } from "./invites.ts"
import { overviewPage } from "./overview.ts"

/** The console's pages, with the role that each takes. Anything else isn't found. */
export const consolePages: Readonly<Partial<Record<ConsoleName, ConsolePage>>> = {
  "": overviewPage,
  invites: invitesPage
}

/** The actions of the console's forms, by the rest of their path. */
export const consoleActions: Readonly<Record<string, ConsoleAction>> = {
  "invites/create": createInvites,
  "invites/disable": disableInvite
}
