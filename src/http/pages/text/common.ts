/** A duration in words: “a minute”, “12 minutes”, “2 hours”. */
export const duration = (seconds: number): string => {
  const minutes = Math.ceil(seconds / 60)
  if (minutes <= 1) return "a minute"
  return minutes < 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}

/** Words that several pages share. */
export const common = {
  handle: "Handle",
  email: "Email",
  password: "Password",
  newPassword: "New password",
  repeatPassword: "Repeat the password",
  passwordRule: "At least 8 characters",
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
  takenDown: "This account has been taken down. Contact this server’s administrator.",
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

/** An error of the account's object, for a field or a form, as a sentence. */
export const asSentence = (message: string): string =>
  /[.!?]$/.test(message) ? message : `${message}.`
