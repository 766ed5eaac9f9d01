/** The consent page of an app. */
export const consent = {
  title: "Allow this app?",
  heading: "Allow this app to use your account?",
  appOnDevice: "an app on this device",
  appOnDeviceTitle: "An app on this device",
  loopback:
    "An app in development that runs on this device. Continue only if you started it yourself. You return to it at:",
  callsItself: "It calls itself",
  unverified: "We haven’t verified that name.",
  privacy: "Privacy policy",
  terms: "Terms",
  yourAccount: "Your account",
  useAnother: "Use another",
  ableTo: "It will be able to",
  sensitive: "Sensitive:",
  leaveOut: "Uncheck anything you don’t want to allow. The app may not work as well without it.",
  inTheWordsOf: (set: string) => `As described by ${set}`,
  details: "Details",
  asWritten: "The exact request",
  afterwards: "You then return to",
  endAnytime: "You can disconnect the app at any time on your account page.",
  theApp: (scheme: string) => `the app ${scheme}`,
  allow: "Allow",
  backTitle: "Back to the app",
  backLead: "One moment, taking you back to the app."
} as const

/** The page for an inactive account. */
export const inactive = {
  deactivatedTitle: "Account deactivated",
  deactivatedHeading: "Your account is deactivated",
  deactivated: "Apps can’t use it. Reactivate it to make it visible on the network again.",
  reactivate: "Reactivate and continue",
  movedHeading: "Your account has moved",
  moved: (host: string) => `It lives at ${host} now. Sign in there to use apps.`,
  takenDownTitle: "Account taken down",
  takenDownHeading: "Your account has been taken down",
  takenDown: "Apps can’t use it. Contact this server’s administrator.",
  suspendedHeading: "Your account is suspended",
  suspended: (reason: string) => `${reason} Contact this server’s administrator.`
} as const
