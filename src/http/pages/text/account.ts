import { counted } from "./common.ts"

/** The frame of the account's pages. */
export const frame = {
  tabs: {
    overview: "Overview",
    security: "Sign-in",
    apps: "Apps",
    devices: "Devices",
    settings: "Settings"
  },
  navigation: "Your account",
  switch: "Switch",
  addAccount: "Add account",
  signOut: "Sign out",
  deactivated: "Your account is deactivated: nobody can see it, and apps can’t use it.",
  moved: (host: string) => `Your account lives at ${host}. Sign in there to use apps.`,
  whatNow: "What you can still do here",
  deletedOn: (day: string) => `It will be deleted on ${day}.`,
  reactivate: "Reactivate",
  takenDownTitle: "This account has been taken down",
  takenDown: "You can’t view or change it here. Contact this server’s administrator.",
  suspendedTitle: "This account is suspended",
  suspended: (reason: string) => `${reason} Contact this server’s administrator.`,
  deletionHeld: (moment: string) =>
    `Your account is deactivated and will be deleted on ${moment}. Until then you can keep it.`,
  keep: "Keep my account"
} as const

/** `/account`. */
export const overview = {
  title: "Your account",
  did: "DID",
  noEmail: "none",
  notConfirmed: "(not confirmed)",
  security: "How you sign in",
  apps: "Connected apps",
  devices: "Where you’re signed in",
  activity: "Activity",
  activityBelow: "Sign-ins from new devices, and changes",
  settings: "Settings",
  settingsBelow: "Email, handle, recovery key, export, move, delete",
  /** The ways to sign in, or a suggestion if the password is the only one. */
  waysIn: (ways: {
    readonly password: boolean
    readonly passkeys: number
    readonly authenticator: boolean
    readonly mailedCodes: boolean
  }): string => {
    const { password, passkeys, authenticator, mailedCodes } = ways
    if (password && passkeys === 0 && !authenticator && !mailedCodes) {
      return "Password only. Add a passkey to be safer."
    }
    const parts = [
      ...(password ? ["password"] : []),
      ...(passkeys > 0 ? [counted(passkeys, "passkey", "passkeys")] : []),
      ...(authenticator ? ["authenticator app"] : []),
      ...(mailedCodes ? ["codes by email"] : [])
    ].join(", ")
    return parts === "" ? "No way to sign in yet." : `${parts[0]?.toUpperCase()}${parts.slice(1)}.`
  },
  appsBelow: (apps: number, appPasswords: number): string =>
    apps + appPasswords === 0
      ? "No apps connected yet."
      : `${counted(apps, "app", "apps")}, ${counted(appPasswords, "app password", "app passwords")}`
          .replace(/^no/, "No")
          .concat("."),
  devicesBelow: (devices: number): string => `${counted(devices, "device", "devices")}.`
} as const

/** Notices by the name in a page's address, which can't contain any other text. */
export const notices = {
  "signed-out": "You’re signed out on this device.",
  "device-out": "That device is signed out.",
  "others-out": "All other devices are signed out.",
  disconnected: "App disconnected. It no longer has access to your account.",
  "session-over": "That session has ended.",
  "app-password-gone": "App password revoked. Everything that signed in with it is signed out.",
  "access-token-gone": "Access token revoked. It no longer works.",
  "passkey-added": "Passkey added. You can now sign in with it.",
  "passkey-renamed": "Passkey renamed.",
  "passkey-gone": "Passkey removed.",
  "authenticator-off": "Authenticator turned off. Your password alone signs you in again.",
  "email-factor-on": "Codes by email are on. Signing in with your password now needs one.",
  "email-factor-off": "Codes by email are off.",
  password:
    "Password changed. All apps and all other devices are signed out and need to sign in again.",
  "password-only":
    "Password changed, and all apps are signed out. We couldn’t sign out your other devices: please do that below.",
  reactivated: "Your account is active again.",
  kept: "Your account won’t be deleted.",
  "deletion-held": "Your account will be deleted in three days. Until then you can keep it.",
  "code-mailed": "We’ve sent you a code. Check your inbox.",
  "code-ready": "Your code is ready.",
  "email-confirmed": "Your email address is confirmed.",
  "email-changed": "Email address changed. Confirm it, because we send codes there.",
  "handle-changed": "Handle changed. Others may see the old one for a few hours.",
  "key-set": "Your recovery key is set. It now comes first.",
  "key-gone": "Key removed.",
  "records-deleted": "Deleted. Apps may show it for a little longer.",
  "files-deleted": "Deleted.",
  "files-kept":
    "Not all of these files are deleted: something uses them, or used them a moment ago. Try again in a minute.",
  deactivated: "Your account is deactivated.",
  deleted: "Your account has been deleted.",
  "password-reset": "Password changed. Sign in with the new one.",
  made: "Welcome! Open any app, for example bsky.app, and sign in with your new handle.",
  confirmed: "Thanks, confirmed. You can continue."
} as const
