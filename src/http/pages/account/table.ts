import { appPasswordPage, createAppPassword, revokeAppPassword } from "./appPasswords.ts"
import { appsPage, disconnect, endSession } from "./apps.ts"
import {
  authenticatorPage,
  beginAuthenticator,
  confirmAuthenticator,
  disableAuthenticator,
  renewRecoveryCodes
} from "./authenticator.ts"
import { codesPage } from "./codes.ts"
import { deactivate, deactivatePage } from "./deactivate.ts"
import { deleteAccount, deletePage, sendDeletionCode } from "./deletion.ts"
import { devicesPage, signOut, signOutDevice, signOutOthers } from "./devices.ts"
import { changeEmail, confirmAddress, emailPage, sendChange, sendConfirmation } from "./email.ts"
import { exportPage } from "./export.ts"
import type { AccountPage, Action, PageName } from "./frame.ts"
import { changeHandle, handlePage } from "./handle.ts"
import { keysPage } from "./keys.ts"
import { overviewPage, reactivate } from "./overview.ts"
import { addPasskey, passkeyPage, renamePasskey } from "./passkeys.ts"
import { changePassword, passwordPage } from "./password.ts"
import { removePasskey, securityPage } from "./security.ts"
import { settingsPage } from "./settings.ts"

/** The pages of an account, by the rest of their path. */
export const accountPages: Readonly<Record<PageName, AccountPage>> = {
  "": overviewPage,
  security: securityPage,
  password: passwordPage,
  passkey: passkeyPage,
  authenticator: authenticatorPage,
  apps: appsPage,
  "app-password": appPasswordPage,
  devices: devicesPage,
  settings: settingsPage,
  email: emailPage,
  handle: handlePage,
  keys: keysPage,
  codes: codesPage,
  export: exportPage,
  deactivate: deactivatePage,
  delete: deletePage
}

/** What the forms of the pages do, by the rest of their path. */
export const accountActions: Readonly<Record<string, Action>> = {
  "sign-out": signOut,
  reactivate,
  "devices/sign-out": signOutDevice,
  "devices/sign-out-others": signOutOthers,
  "apps/disconnect": disconnect,
  "apps/revoke-password": revokeAppPassword,
  "apps/end-session": endSession,
  "app-password": createAppPassword,
  password: changePassword,
  "passkeys/add": addPasskey,
  "passkeys/rename": renamePasskey,
  "passkeys/remove": removePasskey,
  "authenticator/begin": beginAuthenticator,
  "authenticator/confirm": confirmAuthenticator,
  "authenticator/codes": renewRecoveryCodes,
  "authenticator/off": disableAuthenticator,
  email: changeEmail,
  "email/send-change": sendChange,
  "email/send-confirmation": sendConfirmation,
  "email/confirm": confirmAddress,
  handle: changeHandle,
  deactivate,
  delete: deleteAccount,
  "delete/send-code": sendDeletionCode
}

/** Whether a path leads to a page. */
export const isPageName = (name: string): name is PageName => Object.hasOwn(accountPages, name)
