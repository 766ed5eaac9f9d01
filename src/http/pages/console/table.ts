import { accountPage } from "./account.ts"
import {
  allowInvites,
  deleteAccount,
  resetAuthenticator,
  resetPassword,
  stopInvites,
  writeOwner
} from "./accountActs.ts"
import { changeQuota, keep, suspend } from "./careActs.ts"
import { accountsPage } from "./accounts.ts"
import { auditPage } from "./audit.ts"
import { backupsPage, backUpNow } from "./backups.ts"
import { configurationPage } from "./configuration.ts"
import { checkAll, checkData, repairData } from "./data.ts"
import type { ConsoleAction, ConsoleName, ConsolePage } from "./frame.ts"
import { createInvites, disableInvite, invitesPage } from "./invites.ts"
import { mailPage, previewAnnouncement, sendAnnouncement, testMail } from "./mail.ts"
import { moderationPage, restore, takeDown } from "./moderation.ts"
import { askRelay, disconnectReader, networkPage } from "./network.ts"
import { giveOperator, operatorsPage, removeOperator } from "./operators.ts"
import { overviewPage } from "./overview.ts"

/** The console's pages, with the role that each takes. Anything else isn't found. */
export const consolePages: Readonly<Record<ConsoleName, ConsolePage>> = {
  "": overviewPage,
  accounts: accountsPage,
  account: accountPage,
  invites: invitesPage,
  moderation: moderationPage,
  network: networkPage,
  mail: mailPage,
  backups: backupsPage,
  audit: auditPage,
  operators: operatorsPage,
  configuration: configurationPage
}

/** The actions of the console's forms, by the rest of their path. */
export const consoleActions: Readonly<Record<string, ConsoleAction>> = {
  "account/stop-invites": stopInvites,
  "account/allow-invites": allowInvites,
  "account/write": writeOwner,
  "account/reset": resetPassword,
  "account/reset-factor": resetAuthenticator,
  "account/suspend": suspend,
  "account/delete": deleteAccount,
  "account/keep": keep,
  "account/quota": changeQuota,
  "account/check": checkData,
  "account/repair": repairData,
  "moderation/take-down": takeDown,
  "moderation/restore": restore,
  "network/ask": askRelay,
  "network/disconnect": disconnectReader,
  "mail/test": testMail,
  "mail/preview": previewAnnouncement,
  "mail/announce": sendAnnouncement,
  "backups/now": backUpNow,
  "backups/check": checkAll,
  "operators/give": giveOperator,
  "operators/remove": removeOperator,
  "invites/create": createInvites,
  "invites/disable": disableInvite
}
