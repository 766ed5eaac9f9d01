import { type Html, html } from "../html.ts"

/** `/account/keys`. */
export const keys = {
  title: "Recovery key",
  lead: (did: string): Html =>
    html`Your identity on the network is <code>${did}</code>. It stays the same when you change your
      handle.`,
  ofDomain:
    "Your identity belongs to a domain name: control of the domain is control of the identity. It has no recovery keys.",
  ofDomainNext:
    "To keep it safe, protect the domain: renew it on time, lock transfers at your registrar, and turn on two-factor authentication there.",
  unreachable: "We couldn’t reach the identity directory right now.",
  notOurs:
    "This server’s key isn’t in the list, so it can’t change your handle or your keys for you.",
  unsafe:
    "You have no recovery key. If this server disappears or locks you out, you could lose your account.",
  safe: "A recovery key comes first. Its holder can take your identity back from this server, and can undo this server’s changes within 72 hours.",
  explain:
    "These keys can change your identity. Keys higher up can overrule those below for 72 hours.",
  ours: "This server’s key",
  first: "Your recovery key",
  other: "Another key",
  check: html`To check that the first key is yours, compare it with the line <code>didKey</code> in
    your key file, or with your printout.`,
  create: "Create a recovery key",
  replace: "Add or replace a recovery key",
  remove: "Remove a key"
} as const

/** `/account/recovery-key`. */
export const recoveryKey = {
  title: "Create a recovery key",
  lead: "A recovery key gets your account back on another server, even if this one is gone. Only you hold it.",
  keep: "Anyone who has the key can take over your identity. Store it somewhere safe, not on this server.",
  instead: "Your other keys",
  keepAll: "Keep all of them",
  replaces: (key: string) => `Replace ${key.slice(0, 20)}…${key.slice(-6)}`,
  here: "Create a key in this browser",
  hereLead: "The private key is created in your browser and never leaves it.",
  make: "Create a key",
  needsJavaScript:
    "Creating a key here needs JavaScript and a recent browser. You can also bring a key of your own, below.",
  saveLead: "1. Save the key file, or print it. Better: do both.",
  save: "Save as a file",
  print: "Print",
  typeBack: "2. The last six characters of the private key",
  typeBackHint: "Look them up in the file or on your printout, to show that you have it.",
  wrongEnd:
    "Those aren’t the last six characters of the private key. Look at the file or printout.",
  failed: "This browser couldn’t create a key.",
  privateKey: "Private key",
  publicKey: "Public key",
  qrCode: "QR code of the private key",
  printed: (handle: string) => `Recovery key of ${handle}. Keep it secret.`,
  file: (handle: string) => `${handle}-recovery-key.json`,
  own: "Bring your own key",
  ownLead: "If you already have a key, enter its public part. It starts with did:key:",
  didKey: "Public key (did:key)",
  continue: "Continue",
  notAKey: "Enter a did:key of type P-256 or K-256, such as did:key:zDnae….",
  isOurs: "That’s this server’s own key. Enter one that only you hold.",
  isFirst: "That key already comes first.",
  full: "Your identity already lists ten keys. Replace one of them instead.",
  reviewTitle: "Set your recovery key",
  reviewLead: "After this change, these keys can change your identity:",
  isNew: "New",
  removed: (key: string): Html => html`This removes <code>${key}</code>.`,
  undone: "A key that was above this server’s key can undo this change within 72 hours.",
  set: "Set recovery key",
  sendCode: (address: string) => `Send a code to ${address}`,
  another: "Send another code",
  codeLead: "We sent you a code. Enter it to make the change.",
  again: "Choose another key"
} as const

/** `/account/remove-key`. */
export const removeKey = {
  title: "Remove a key",
  lead: "A removed key can no longer recover your identity. If it was above this server’s key, its holder can still undo the removal within 72 hours.",
  none: "There is no key to remove: only this server’s key is left.",
  key: "Key",
  chosen: "That key is no longer in the list. Choose another one.",
  last: "If you remove your last recovery key, only this server can change your identity.",
  submit: "Remove key"
} as const
