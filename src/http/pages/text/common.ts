/** A duration in words: “a minute”, “12 minutes”, “2 hours”. */
export const duration = (seconds: number): string => {
  const minutes = Math.ceil(seconds / 60)
  if (minutes <= 1) return "a minute"
  return minutes < 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}

/** A message or a reason, as a sentence. */
export const asSentence = (message: string): string =>
  /[.!?]$/.test(message) ? message : `${message}.`

/** Words that several pages share. */
export const common = {
  handle: "Handle",
  email: "Email",
  password: "Password",
  newPassword: "New password",
  repeatPassword: "Repeat the password",
  passwordRule: "At least 8 characters",
  badPassword: "Choose a password with at least 8 characters, and no more than 256.",
  passwordsDiffer: "The passwords don’t match. Type the new password twice.",
  code: "Code",
  name: "Name",
  continue: "Continue",
  cancel: "Cancel",
  signIn: "Sign in",
  createAccount: "Create an account",
  alreadyHaveAccount: "Already have an account? Sign in",
  changePassword: "Change password",
  useAnotherAccount: "Use another account",
  chooseAnotherAccount: "Choose another account",
  tookTooLong: "That took too long. Please try again.",
  wrongCode: "That code is wrong or has already been used. Try the next one.",
  tooManyAttempts: (seconds: number) => `Too many attempts. Try again in ${duration(seconds)}.`,
  failed: "We couldn’t do that. Reload the page and try again.",
  notAllowed: "You can’t do this with your account.",
  notHere: "This account isn’t on this server any more.",
  beingDeleted: "This account is being deleted.",
  tooLarge: "That’s more than we accept.",
  identityGone:
    "Your identity has been deactivated, or the identity directory doesn’t know it. Contact this server’s administrator.",
  identityElsewhere:
    "Your identity points to another server, so your account can’t be active here. Finish your move to this server first.",
  identityNotOurs: "This server’s key can’t change your identity.",
  identityRefused: "The identity directory rejected this change. Reload the page and try again.",
  takenDown: ({ reason }: { readonly reason?: string }): string =>
    reason === undefined
      ? "This account has been taken down. Contact this server’s administrator."
      : `This account is suspended: ${asSentence(reason)} Contact this server’s administrator.`,
  needsJavaScript: "Passkeys need JavaScript. Turn it on for this site and reload the page.",
  show: "Show",
  thePassword: "password",
  copy: "Copy",
  copied: "Copied",
  /** A name under one of the server's domains. */
  nameRule: "3–18 letters, digits or hyphens",
  badName: "You can’t use that name here. Use 3–18 letters, digits or hyphens.",
  handleTaken: "That handle is taken. Choose another one."
} as const

/** How many of something, as a count and a noun. */
export const counted = (count: number, one: string, many: string): string =>
  count === 0 ? `no ${many}` : `${count} ${count === 1 ? one : many}`
