import { duration } from "./common.ts"

/** The sign-in page. */
export const signIn = {
  title: "Sign in",
  toManage: "to manage your account",
  toApp: (app: string) => `to continue to ${app}`,
  cancelApp: "Cancel and go back to the app",
  identifier: "Handle, email or DID",
  remember: "Keep me signed in on this device",
  forgot: "Forgot your password?",
  withPasskey: "Sign in with a passkey",
  wrong: "Wrong username or password. App passwords don’t work here.",
  passwordChanged: "Your password has changed since then. Please sign in again.",
  codeTooLate: "That took too long. Please sign in again.",
  codeNotSent: "We couldn’t email you a code right now. Try again in a moment, or use a passkey.",
  tooManyCodes: (seconds: number) =>
    `We’ve emailed you several codes already. Enter the newest one, or ask for another in ${duration(seconds)}.`,
  wrongMailedCode: "That code is wrong or has expired. Enter the newest one we emailed you.",
  anotherCode: "We’ve emailed you another code. Only the newest one works.",
  passkeyTooLate: "That took too long. Please try the passkey again.",
  passkeyUnknown: "No account on this server uses that passkey.",
  passkeyWrong: "That passkey didn’t work.",
  otherAccount: (handle: string) => `That was ${handle}. The app asked for another account.`
} as const

/** The page that asks for a second factor, after the password. */
export const secondStep = {
  title: "One more step",
  lead: "Enter a code to finish signing in.",
  hint: "Six digits from your authenticator app, or one of your recovery codes",
  mailedLead: "Enter the code we’ve just emailed you.",
  mailedHint: "From the newest email we sent you. It expires after 15 minutes.",
  another: "Email me another code",
  passkeyInstead: "Use a passkey instead",
  startAgain: "Start again"
} as const

/** The page that asks for a proof before a security setting changes. */
export const confirm = {
  title: "Confirm it’s you",
  lead: "To change security settings, confirm it’s you. We’ll remember for 15 minutes.",
  usePasskey: "Use a passkey",
  back: "Back to your account",
  otherAccountsPasskey: "That passkey belongs to another account."
} as const

/** The page that lists the accounts on a device. */
export const choose = {
  title: "Choose an account",
  onThisDevice: "You’re signed in to these accounts on this device.",
  signInAgain: "Sign in again"
} as const

/** The pages for a forgotten password. */
export const forgotten = {
  title: "Forgot your password?",
  leadByMail: "We’ll send a code to your account’s email address.",
  leadWithoutMail:
    "This server doesn’t send email. Request a code, ask your administrator for it, then set a new password.",
  identifier: "Email or handle",
  send: "Send a code",
  request: "Request a code",
  haveCode: "I already have a code",
  back: "Back to sign-in",
  resetTitle: "Set a new password",
  resetLead: "If there is an account with that name or address, a code is ready for it.",
  everyoneOut: "This signs out every browser and app that uses your account.",
  sendAnother: "Request another code",
  hintByMail: "From the email we sent you. It expires after 15 minutes.",
  hintWithoutMail: "From your administrator. It expires after 15 minutes."
} as const
