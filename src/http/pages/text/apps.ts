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
  sessions: "Signed in with a password",
  noSessions: "No app is signed in with a password.",
  withPassword: "With your password",
  withAppPassword: (name: string) => `With the app password “${name}”`,
  sessionDates: (since: string, expires: string, place: string | undefined) =>
    `Since ${since}${place === undefined ? "" : `, from ${place}`}. Expires on ${expires} if unused.`,
  unknownClient: "An app",
  end: "End",
  endSession: (client: string, since: string) => `End ${client}, since ${since}`
} as const

/** What app passwords and access tokens have in common. */
export const credential = {
  none: "None yet.",
  lastUsed: (ago: string | undefined) =>
    ago === undefined ? "Not used yet." : `Last used ${ago}.`,
  revoke: "Revoke",
  revokeNamed: (name: string) => `Revoke ${name}`,
  missingName: "Give it a name.",
  copied: "Done"
} as const

/** `/account/app-password`. */
export const appPassword = {
  title: "Create an app password",
  lead: "An app password lets an app use your account. It can’t change how you sign in, and it doesn’t open these pages.",
  nameHint: "The app or device it’s for",
  submit: "Create app password",
  createdOn: (day: string, privileged: boolean) =>
    `Created on ${day}.${privileged ? " Can read and send direct messages." : ""}`,
  longName: (limit: number) => `Choose a name of at most ${limit} characters.`,
  exists: (name: string) =>
    `You already have an app password named “${name}”. Choose another name.`,
  tooMany: (limit: number) => `You have ${limit} app passwords. Revoke one first.`,
  madeTitle: "Your new app password",
  made: (name: string) => `For “${name}”. Copy it into the app now: you won’t see it again.`
} as const

/** What a new app password or access token may do. */
export const permissions = {
  legend: "What it may do",
  access: {
    standard: "Everything an app usually does, except direct messages",
    privileged: "The same, and reading and sending direct messages",
    read: "Read only: it can’t change or publish anything",
    chosen: "Only what I choose below"
  },
  choose: "Choose permissions",
  chosenLegend: "For “Only what I choose below”",
  more: "Other permissions",
  moreHint: "For developers: OAuth scopes, separated by spaces, such as repo:com.example.note",
  nothing: "Choose at least one permission.",
  badValue: (value: string) => `“${value.slice(0, 100)}” isn’t a permission it can have.`,
  summary: "What it can do"
} as const

/** `/account/access-token`, and the list of access tokens. */
export const accessToken = {
  heading: "Access tokens",
  hint: "For scripts that send a token with each request instead of signing in.",
  title: "Create an access token",
  lead: "A script sends the token with each request. It works until it expires or you revoke it. It can’t change how you sign in.",
  nameHint: "The script or service it’s for",
  days: "Days until it expires",
  daysHint: "From 1 to 366",
  badDays: "Enter a number of days from 1 to 366.",
  refused: {
    "bad name": (limit: number) => `The name can have at most ${limit} characters.`,
    "name taken": () => "You already have an access token with that name.",
    "too many": (limit: number) => `You can have at most ${limit} access tokens. Revoke one first.`
  },
  submit: "Create access token",
  madeTitle: "Your new access token",
  made: (name: string) => `For “${name}”. Copy it now: you won’t see it again.`,
  use: "Send it with each request, in this header:",
  dates: (created: string, expires: string, isOver: boolean) =>
    `Created on ${created}. ${isOver ? "Expired" : "Expires"} on ${expires}.`
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
