import { dataPage } from "./data/data.ts"
import { deleteRecords } from "./data/deletion.ts"
import { discardFiles, filePage, filesPage } from "./data/files.ts"
import { downloadBlob } from "./data/preview.ts"
import { downloadJson, recordPage } from "./data/record.ts"
import { recordsPage } from "./data/records.ts"
import { importPage } from "./archive/import.ts"
import { activityPage } from "./activity/activity.ts"
import { appPasswordPage, createAppPassword, revokeAppPassword } from "./apps/appPasswords.ts"
import { accessTokenPage, createAccessToken, revokeAccessToken } from "./apps/accessTokens.ts"
import { appsPage, disconnect, endSession } from "./apps/apps.ts"
import {
  authenticatorPage,
  beginAuthenticator,
  confirmAuthenticator,
  disableAuthenticator,
  renewRecoveryCodes
} from "./signIn/authenticator.ts"
import { deactivate, deactivatePage } from "./settings/deactivate.ts"
import { deleteAccount, deletePage, sendDeletionCode } from "./settings/deletion.ts"
import { devicesPage, signOut, signOutDevice, signOutOthers } from "./devices/devices.ts"
import {
  changeEmail,
  confirmAddress,
  emailPage,
  sendChange,
  sendConfirmation
} from "./settings/email.ts"
import { downloadArchive, exportPage } from "./settings/export.ts"
import type { AccountPage, Action, Download, PageName } from "./frame.ts"
import {
  emailFactorPage,
  sendFactorCode,
  turnFactorOff,
  turnFactorOn
} from "./signIn/emailFactor.ts"
import { changeHandle, handlePage } from "./settings/handle.ts"
import { keysPage } from "./settings/keys.ts"
import { createMoveToken, movePage, sendMoveCode } from "./settings/move.ts"
import { recoveryKeyPage, setRecoveryKey } from "./settings/recoveryKey.ts"
import { removeKey, removeKeyPage } from "./settings/removeKey.ts"
import { keepAccount, overviewPage, reactivate } from "./overview/overview.ts"
import { addPasskey, passkeyPage, renamePasskey } from "./signIn/passkeys.ts"
import { changePassword, passwordPage } from "./signIn/password.ts"
import { removePasskey, securityPage } from "./signIn/security.ts"
import { movingPage } from "./moveIn/moving.ts"
import {
  confirmMove,
  goToOldAgain,
  retryMissing,
  sendOldCode,
  signInToOld,
  takeStep
} from "./moveIn/steps.ts"
import { settingsPage } from "./settings/settings.ts"

/** The pages of an account, by the rest of their path. */
export const accountPages: Readonly<Record<PageName, AccountPage>> = {
  "": overviewPage,
  security: securityPage,
  password: passwordPage,
  passkey: passkeyPage,
  authenticator: authenticatorPage,
  "email-factor": emailFactorPage,
  apps: appsPage,
  "app-password": appPasswordPage,
  "access-token": accessTokenPage,
  devices: devicesPage,
  activity: activityPage,
  settings: settingsPage,
  email: emailPage,
  handle: handlePage,
  keys: keysPage,
  "recovery-key": recoveryKeyPage,
  "remove-key": removeKeyPage,
  data: dataPage,
  "data/records": recordsPage,
  "data/record": recordPage,
  "data/files": filesPage,
  "data/file": filePage,
  export: exportPage,
  import: importPage,
  move: movePage,
  moving: movingPage,
  deactivate: deactivatePage,
  delete: deletePage
}

/** The files that the pages link to, by the rest of their path. */
export const accountDownloads: Readonly<Record<string, Download>> = {
  "export/download": downloadArchive,
  "data/blob": downloadBlob,
  "data/json": downloadJson
}

/** The actions of the pages' forms, by the rest of their path. */
export const accountActions: Readonly<Record<string, Action>> = {
  "sign-out": signOut,
  reactivate,
  keep: keepAccount,
  "devices/sign-out": signOutDevice,
  "devices/sign-out-others": signOutOthers,
  "apps/disconnect": disconnect,
  "apps/revoke-password": revokeAppPassword,
  "apps/end-session": endSession,
  "apps/revoke-token": revokeAccessToken,
  "app-password": createAppPassword,
  "access-token": createAccessToken,
  password: changePassword,
  "passkeys/add": addPasskey,
  "passkeys/rename": renamePasskey,
  "passkeys/remove": removePasskey,
  "authenticator/begin": beginAuthenticator,
  "authenticator/confirm": confirmAuthenticator,
  "authenticator/codes": renewRecoveryCodes,
  "authenticator/off": disableAuthenticator,
  "email-factor/on": turnFactorOn,
  "email-factor/off": turnFactorOff,
  "email-factor/send-code": sendFactorCode,
  email: changeEmail,
  "email/send-change": sendChange,
  "email/send-confirmation": sendConfirmation,
  "email/confirm": confirmAddress,
  handle: changeHandle,
  "recovery-key": setRecoveryKey,
  "remove-key": removeKey,
  "data/delete": deleteRecords,
  "data/discard": discardFiles,
  "move/code": sendMoveCode,
  "move/token": createMoveToken,
  "moving/step": takeStep,
  "moving/retry": retryMissing,
  "moving/send-code": sendOldCode,
  "moving/confirm": confirmMove,
  "moving/sign-in": signInToOld,
  "moving/oauth": goToOldAgain,
  deactivate,
  delete: deleteAccount,
  "delete/send-code": sendDeletionCode
}

/** Whether a name is a page's. */
export const isPageName = (name: string): name is PageName => Object.hasOwn(accountPages, name)
