import { type Html, html } from "../html.ts"
import { counted } from "./common.ts"

/** `/account/move-in`. */
export const moveIn = {
  title: "Move your account here",
  lead: (host: string) =>
    `Bring an account that you have elsewhere to ${host}. Followers, posts, pictures and app settings come along. Your old account stays as it is until the last step.`,
  oldHeading: "Your account now",
  oldHandle: "Handle",
  oldHandleHint: "For example alice.bsky.social",
  oldPassword: "Password at your old server",
  oldPasswordHint:
    "Your main password: app passwords don’t work. We send it to your old server and don’t keep it.",
  code: "Code",
  codeHint: "Only if your old server asks for one when you sign in.",
  byOAuth: "Sign in at your old server instead",
  byOAuthHint:
    "No password there, or you’d rather not type it here? Your old server’s own sign-in page works too. It needs only your handle there.",
  onward: (host: string, here: string) =>
    `${host} will ask you to sign in, and whether ${here} may change your identity and read your app settings. Allow that to move your account. Some servers don’t hand out your birth date this way, so check it in your app afterwards.`,
  goOn: (host: string) => `Continue to ${host}`,
  signedIn: (host: string) => `You’re signed in at ${host}.`,
  noOAuth: (host: string) =>
    `We couldn’t open ${host}’s own sign-in. Enter your password there instead.`,
  notSignedIn: (host: string) =>
    `You didn’t sign in at ${host}, or didn’t allow the move. Nothing was changed; please try again.`,
  newHeading: "Your account here",
  handle: "Handle here",
  handleHint: (domain: string | undefined) =>
    domain === undefined
      ? "Your own domain, which is your handle already"
      : `A name, to which we add .${domain}, or your own domain if that is your handle already`,
  password: "New password for this server",
  submit: "Begin the move",
  link: "Have an account on another server? Move it here",
  here: "This account is already on this server. Sign in instead.",
  begun: "This move has already begun. Sign in here with your new password to continue it.",
  unknown: "We couldn’t find an account with that handle.",
  notThere: "Wrong handle or password at your old server. App passwords don’t work.",
  codeNeeded:
    "Your old server asks for a code. Enter the one that it emailed you or that your authenticator app shows, and type your password again.",
  tokenRefused: "Your old server doesn’t let you move with this password. Use your main password.",
  unreachable: (host: string) =>
    `We couldn’t reach ${host}, or it took too long. Nothing was changed; please try again.`,
  odd: (host: string) =>
    `${host} sent an answer that makes no sense to us. Nothing was changed there. If it happens again, ask its administrator.`
} as const

/** `/account/moving`. */
export const moving = {
  title: "Moving your account",
  notMoving: "Your account lives here. There is no move to finish.",
  from: (host: string): Html =>
    html`From <strong>${host}</strong>. You can close this page and come back: sign in here, and the
      move continues where it stopped.`,
  untilNow: "Your old account stays as it is until you confirm the move with a code.",
  steps: {
    records: "Copy posts, likes and follows",
    blobs: "Copy pictures and videos",
    preferences: "Copy app settings",
    identity: "Point your identity here",
    activation: "Activate your account here"
  },
  records: (count: number) => counted(count, "record", "records"),
  progress: (here: number, of: number) => `${here} of ${of}`,
  slow: (host: string) =>
    `${host} doesn’t send one of your pictures or videos. Continue to try it again. After three tries we continue without it.`,
  missing: (count: number) =>
    `${counted(count, "picture or video", "pictures or videos")} couldn’t be copied, because your old server didn’t send ${count === 1 ? "it" : "them"}, or because ${count === 1 ? "it doesn’t" : "they don’t"} fit here. Try again now, or come back later. Do it before you confirm the move.`,
  usedIn: (path: string) => `Used in ${path}`,
  more: (count: number) => `And ${counted(count, "more", "more")}.`,
  retry: "Try these again",
  isDone: "done",
  next: "next",
  aServer: "one of the servers",
  begin: "Copy",
  continue: "Continue",
  signInLead: "Sign in to your old server again to continue.",
  signIn: "Sign in and continue",
  codeLead: "Your old server sends you a code to confirm the move.",
  sendCode: "Ask the old server for a code",
  codeSent: "Your old server has sent you a code. Check your inbox.",
  code: "Code from your old server",
  codeHint: "If your old server sends no email, it shows the code on its own page.",
  confirm: "Move my account",
  webLead:
    "Your identity belongs to your domain: publish this document there, at /.well-known/did.json. Then continue.",
  notYet: "Your identity doesn’t point here yet. It may take a minute: try again.",
  changed: "Your old account has something new. Copy it first, then confirm again.",
  wrongCode: "Your old server rejected the code or the change. Ask for a new code and try again.",
  refused: (host: string, message: string | undefined) =>
    message === undefined ? `${host} refused this step.` : `${host} refused this step: ${message}`,
  signedOut: "Your sign-in at the old server has expired. Sign in there again.",
  doneTitle: "Welcome!",
  done: "Your account lives here now. Sign in to your apps again with your new handle and password.",
  leftActive: (host: string) =>
    `We couldn’t deactivate your old account at ${host}. Sign in there and deactivate it, because it confuses apps.`,
  keyLead: "Set a recovery key next: with it you can move again even if this server is gone.",
  importFailed:
    "This server couldn’t import what your old server sent. Nothing was changed there. Try again, or contact this server’s administrator.",
  /** In the frame of the other pages. */
  unfinished: "Your account isn’t active here yet: its move isn’t finished.",
  finish: "Continue the move",
  gone: "Does your old server no longer have your data?"
} as const
