/** What a page says of what was just done, by the word that stands in its address: no other text can be put there. */
const notices = {
  "signed-out": "The account is signed out on this device.",
  "device-out": "That device is signed out.",
  "others-out": "All other devices are signed out.",
  disconnected: "The app is disconnected. What it held of your account is worth nothing any more.",
  "session-over": "That session is over.",
  "app-password-gone": "The app password is revoked, and what signed in with it is signed out.",
  "passkey-added": "The passkey is added. You can sign in with it from now on.",
  "passkey-renamed": "The passkey has its new name.",
  "passkey-gone": "The passkey is removed.",
  "authenticator-off": "The authenticator is off: your password alone signs you in again.",
  password:
    "Your password is changed. All apps, and all other devices, are signed out and have to sign in anew.",
  "password-only":
    "Your password is changed and all apps are signed out. Your other devices could not be signed out just now: please do that below.",
  reactivated: "Your account is active again.",
  "code-mailed": "The code is on its way to your mailbox.",
  "code-waits": "The code is made, and waits under Settings → Codes.",
  "email-confirmed": "Your address is confirmed.",
  "email-changed": "Your address is changed. Confirm it, so that codes reach you.",
  "handle-changed": "Your handle is changed. Others may see the old one for some hours.",
  deactivated: "Your account is deactivated.",
  deleted: "The account is deleted.",
  "password-reset": "Your password is changed: sign in with the new one.",
  made: "Your account is made. To use it, type its handle in any app of the network.",
  confirmed: "Thank you. You can go on with what you wanted to do."
} as const

/** A word for what was done. */
export type Notice = keyof typeof notices

/** The sentence of a word that came in an address; nothing for one that is none of ours. */
export const noticeText = (word: string | null): string | undefined =>
  word !== null && Object.hasOwn(notices, word) ? notices[word as Notice] : undefined
