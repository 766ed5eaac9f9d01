import type { HistoryKind, RefusedWay, SignInWay } from "../../../core/accounts/history.ts"
import { counted } from "./common.ts"

/** `/account/activity`. */
export const activity = {
  title: "Activity",
  lead: "Sign-ins from new devices and apps, and changes to your account. Times are in UTC.",
  none: "Nothing yet.",
  older: "Older",
  newest: "Newest",
  hint: "Something you don’t recognize? End it under Apps or Devices, then change your password.",
  apps: "Apps",
  devices: "Devices",
  changePassword: "Change password",
  byOperator: "by this server’s operator",
  byServer: "by this server",
  reason: (reason: string) => `Reason: ${reason}`,
  fromTo: (before: string | undefined, after: string) =>
    before === undefined ? `Now ${after}` : `From ${before} to ${after}`,
  until: (moment: string) => `On ${moment}`,
  from: (place: string) => `from ${place}`,
  unknownDevice: "an unknown device"
} as const

/** What an entry says happened. */
export const activityKinds: Readonly<Record<HistoryKind, string>> = {
  created: "Account created",
  "sign-in": "New sign-in",
  refused: "Failed sign-ins",
  password: "Password changed",
  "password-reset": "Password reset with an emailed code",
  "authenticator-on": "Authenticator turned on",
  "authenticator-off": "Authenticator turned off",
  "email-factor-on": "Sign-in codes by email turned on",
  "email-factor-off": "Sign-in codes by email turned off",
  "recovery-codes": "New recovery codes",
  "passkey-added": "Passkey added",
  "passkey-removed": "Passkey removed",
  email: "Email address changed",
  handle: "Handle changed",
  "signing-key": "Signing key changed",
  "recovery-keys": "Identity changed",
  "host-key": "This server’s key in your identity replaced",
  identity: "Change of identity signed",
  "move-token": "Token for another server created",
  "app-password": "App password created",
  "app-password-revoked": "App password revoked",
  "access-token": "Access token created",
  "access-token-revoked": "Access token revoked",
  "app-removed": "App disconnected",
  deactivated: "Account deactivated",
  activated: "Account reactivated",
  "deletion-asked": "Deletion requested",
  "deletion-undone": "Deletion cancelled",
  quota: "Storage limit changed",
  suspended: "Account suspended",
  "taken-down": "Account taken down",
  restored: "Account restored",
  "content-taken-down": "Post or picture taken down",
  "content-restored": "Post or picture restored",
  "data-restored": "Posts, pictures and preferences put back to an earlier time",
  "archive-imported": "Archive imported",
  repaired: "Repository repaired"
}

/** How somebody signed in. */
export const signInWays: Readonly<Record<SignInWay, string>> = {
  browser: "In a browser",
  password: "With your password",
  "app password": "With an app password",
  app: "By an app"
}

const refusedWays: Readonly<Record<RefusedWay, readonly [string, string]>> = {
  password: ["wrong password", "wrong passwords"],
  code: ["wrong code", "wrong codes"],
  passkey: ["unaccepted passkey", "unaccepted passkeys"]
}

/** Refused attempts in words: “3 wrong passwords, 1 wrong code”. */
export const refusedInWords = (refused: Readonly<Partial<Record<RefusedWay, number>>>): string =>
  (["password", "code", "passkey"] as const)
    .flatMap((way) => {
      const count = refused[way] ?? 0
      return count === 0 ? [] : [counted(count, ...refusedWays[way])]
    })
    .join(", ")
