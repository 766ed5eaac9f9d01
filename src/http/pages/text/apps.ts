/** `/account/apps`. */
export const apps = {
  title: "Apps",
  connectedApps: "Connected apps",
  connected: (moment: string, active: string, where: string) =>
    `Connected on ${moment}${where}. Last active ${active}.`,
  onBrowser: (browser: string | undefined, place: string | undefined) =>
    `${browser === undefined ? "" : `, with ${browser}`}${place === undefined ? "" : `, from ${place}`}`,
  permissions: "What it can do",
  disconnect: "Disconnect",
  disconnectApp: (app: string, ago: string) => `Disconnect ${app}, connected ${ago}`,
  signedInTimes: (times: number) => `Signed in on ${times} devices:`,
  none: "No connected apps yet. Apps you sign in to will show up here.",
  onYourDevice: "An app on one of your devices",
  appPasswords: "App passwords",
  appPasswordsHint:
    "For older apps that ask for a username and password: use one of these instead of your password.",
  noAppPasswords: "None yet.",
  createAppPassword: "Create an app password",
  createdOn: (day: string, privileged: boolean) =>
    `Created on ${day}.${privileged ? " Can read and send direct messages." : ""}`,
  revoke: "Revoke",
  sessions: "Signed in with a password",
  noSessions: "No app is signed in with a password.",
  withPassword: "With your password",
  withAppPassword: (name: string) => `With the app password “${name}”`,
  sessionDates: (since: string, expires: string, place: string | undefined) =>
    `Since ${since}${place === undefined ? "" : `, from ${place}`}. Expires on ${expires} if unused.`,
  unknownClient: "An app",
  end: "End"
} as const

/** `/account/app-password`. */
export const appPassword = {
  title: "Create an app password",
  lead: "An app password lets an app use your account. It can’t change how you sign in, and it doesn’t open these pages.",
  nameHint: "The app or device it’s for",
  privileged: "Allow reading and sending direct messages",
  submit: "Create app password",
  missingName: "Give it a name.",
  longName: (limit: number) => `Choose a name of at most ${limit} characters.`,
  exists: (name: string) =>
    `You already have an app password named “${name}”. Choose another name.`,
  tooMany: (limit: number) => `You have ${limit} app passwords. Revoke one first.`,
  madeTitle: "Your new app password",
  made: (name: string) => `For “${name}”. Copy it into the app now: you won’t see it again.`,
  copied: "Done"
} as const

/** `/account/devices`. */
export const devices = {
  title: "Where you’re signed in",
  lead: "Browsers signed in to your account.",
  thisDevice: "This device",
  lastSeen: (ago: string) => `Last seen ${ago}`,
  from: (address: string) => ` from ${address}`,
  signedIn: (moment: string) => `Signed in on ${moment}`,
  signOut: "Sign out",
  signOutOthers: "Sign out everywhere else",
  hint: "Signing out here doesn’t disconnect apps (see Apps). Don’t recognize a device? Change your password.",
  unknownBrowser: "Unknown browser"
} as const
