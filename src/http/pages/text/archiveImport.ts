/** `/account/import`. */
export const archiveImport = {
  title: "Import an archive",
  lead: "Put the data that you downloaded from your account back: posts, likes and follows, pictures and videos, and your preferences.",
  below: "Put your downloaded data back into a deactivated account",
  active:
    "Your account is active. An archive replaces everything in it, so it goes only into a deactivated account.",
  deactivate: "Deactivate account",
  closed: "This server doesn’t accept imports. Ask its administrator.",
  held: "Your account is waiting for its deletion. Choose “Keep my account” first.",
  files: "Archive",
  filesHint:
    "The ZIP file as you downloaded it. If it came in parts, choose all of them; you can also import them one after the other.",
  steps:
    "Your browser reads the file and sends only what is missing here. Interrupted? Open this page again and choose the same file: the import continues where it stopped.",
  replace: "Replace the records that are here",
  replaceHint: "Your account already has records. Those of the archive take their place.",
  submit: "Import",
  needsJavaScript:
    "Importing an archive needs JavaScript: your browser reads the file and sends it piece by piece. Turn it on for this site and reload the page.",
  oldBrowser: "This browser can’t read archives. Use a current version of any browser.",
  doneTitle: "Imported",
  records: "Records",
  blobs: "Pictures and files",
  activateLead: "Your account is still deactivated. Activate it when everything you need is here.",
  activate: "Activate account",
  movingLead: "Your account becomes active when your move is finished."
} as const

/** What the page's script says; `{…}` are values. */
export const archiveImportScript = {
  reading: "Reading the archive…",
  sendingRecords: "Importing posts, likes and follows. This can take a few minutes…",
  sendingFiles: "Importing pictures and files…",
  sendingPreferences: "Importing preferences…",
  progress: "{here} of {of}",
  waiting: "The server is busy or can’t be reached. Trying again…",
  done: "The import is complete.",
  partly: "The import is complete, but something is missing:",
  missing:
    "Pictures and files that aren’t in the archive: {count}. If it has more parts, import them too.",
  failed: "Pictures and files that are damaged, or that this server doesn’t accept: {count}.",
  odd: "Old records that came along although apps would reject them today: {count}.",
  noArchive: "{file} isn’t an archive of an account. Choose the ZIP file as you downloaded it.",
  cutOff: "{file} is incomplete. Download it again.",
  damaged: "{file} is damaged. Download it again.",
  oddName:
    "{file} contains “{name}”, which no archive of an account does. Choose the ZIP file as you downloaded it.",
  unreadable: "Your browser couldn’t read the file. Choose it again.",
  another: "{file} is an archive of another account: {did}.",
  several: "These are two different archives. Choose the parts of one archive.",
  firstPart: "Choose the first part as well: it has your records.",
  replaceFirst: "Your account already has records. To replace them, tick the box below.",
  lost: "We couldn’t reach the server. Choose “Import” to continue where it stopped.",
  signedOut:
    "Your sign-in or your confirmation has expired. Reload the page and choose the same file: the import continues where it stopped."
} as const

/** What the server says about a request of the script. */
export const archiveImportRefusals = {
  records:
    "The records of this archive can’t be imported: they are damaged, or not signed with the key of your identity. Nothing has changed.",
  another: "The records of this archive belong to another account. Nothing has changed.",
  tooLarge: "That’s larger than this server accepts.",
  quota: "Your account has no room for more files. Ask this server’s administrator for more.",
  preferences: "The preferences of this archive can’t be read. Everything else is here.",
  notWaiting: "Your account isn’t deactivated any more, so nothing was imported.",
  blob: "This file can’t be imported."
} as const
