import type { LinkKind } from "../../../core/repo/readable.ts"
import { counted } from "./common.ts"
import { sizeInWords } from "./data.ts"

const grouped = (count: number): string => count.toLocaleString("en-US")

const records = (count: number): string =>
  count < 1000 ? counted(count, "record", "records") : `${grouped(count)} records`

/** `/account/data`. */
export const ownData = {
  title: "Your data",
  lead: "Everything that apps have saved in your account, by kind.",
  storage: "Storage",
  used: (used: number, quota: number): string =>
    quota === 0
      ? `${sizeInWords(used)} of pictures, videos and other files.`
      : `${sizeInWords(used)} of ${sizeInWords(quota)} used by pictures, videos and other files.`,
  files: "Pictures and files",
  filesBelow: "What you uploaded, where it’s used, and what isn’t used",
  collections: "Records",
  noCollections: "Nothing yet.",
  more: "More kinds",
  first: "Back to the first",
  size: (count: number, bytes: number, exact: boolean): string => {
    if (exact) return `${records(count)}, ${sizeInWords(bytes)}`
    return count === 0
      ? "Not counted here"
      : `More than ${grouped(count)} records, ${sizeInWords(bytes)}`
  },
  download: "Download your data"
} as const

/** What people call the well-known collections. */
export const collectionNames: Readonly<Record<string, string>> = {
  "app.bsky.actor.profile": "Profile",
  "app.bsky.feed.generator": "Feeds",
  "app.bsky.feed.like": "Likes",
  "app.bsky.feed.post": "Posts",
  "app.bsky.feed.postgate": "Quote settings",
  "app.bsky.feed.repost": "Reposts",
  "app.bsky.feed.threadgate": "Reply settings",
  "app.bsky.graph.block": "Blocks",
  "app.bsky.graph.follow": "Follows",
  "app.bsky.graph.list": "Lists",
  "app.bsky.graph.listblock": "Blocked lists",
  "app.bsky.graph.listitem": "List members",
  "app.bsky.graph.starterpack": "Starter packs",
  "app.bsky.labeler.service": "Labeler",
  "app.bsky.notification.declaration": "Notification settings",
  "chat.bsky.actor.declaration": "Chat settings"
}

/** `/account/data/records`. */
export const recordList = {
  all: "All your data",
  search: "Search",
  key: "Key",
  keyHint: "The last part of a record’s address, or how it begins.",
  day: "Day",
  dayHint: "In UTC. Finds records whose key contains their date, as most do.",
  badDay: "Enter a date such as 2026-03-31.",
  find: "Search",
  clear: "Show all",
  none: "Nothing yet.",
  noneFound: "Nothing found.",
  newest: "Newest",
  older: "Older",
  select: (key: string) => `Select ${key}`,
  delete: "Delete selected",
  inactive: "Reactivate your account to delete records."
} as const

/** `/account/data/record`. */
export const record = {
  title: "Record",
  missing: "This record doesn’t exist any more.",
  takenDown: "This record was taken down, so others can’t see it.",
  address: "Address",
  version: "Version",
  created: "Created",
  size: "Size",
  seeOn: "See it on bsky.app",
  links: {
    reply: "Reply to",
    quote: "Quotes",
    subject: "About",
    list: "List",
    link: "Link"
  } satisfies Record<LinkKind, string>,
  fields: "Fields",
  field: "Field",
  value: "Value",
  json: "JSON",
  cut: "Only the beginning is shown. Download the record to see all of it.",
  downloadJson: "Download JSON",
  delete: "Delete"
} as const

/** The step before records are deleted. */
export const deleting = {
  title: (count: number) => (count === 1 ? "Delete this record?" : `Delete ${count} records?`),
  warning:
    "Deleted records disappear from your account and from apps, and nobody can bring them back. Others may have saved copies.",
  none: "Select at least one record.",
  submit: (count: number) => (count === 1 ? "Delete record" : `Delete ${count} records`)
} as const

/** `/account/data/files` and `/account/data/file`. */
export const files = {
  title: "Pictures and files",
  lead: "What you and your apps uploaded. Files that aren’t used come first; this server deletes them after a while.",
  none: "Nothing yet.",
  more: "More",
  first: "Back to the first",
  usedBy: (refs: number): string =>
    refs === 0 ? "Not used" : `Used by ${counted(refs, "record", "records")}`,
  takenDown: "Taken down",
  below: (type: string, size: number): string => `${type}, ${sizeInWords(size)}`,
  ending: (cid: string) => `…${cid.slice(-8)}`,
  select: (cid: string) => `Select ${cid}`,
  discard: "Delete selected",
  discarding: (count: number) =>
    count === 1 ? "Delete this unused file?" : `Delete ${count} unused files?`,
  warning:
    "Nobody can bring a deleted file back. A draft in an app that has uploaded it will need to upload it again.",
  noneSelected: "Select at least one file.",
  submit: (count: number) => (count === 1 ? "Delete file" : `Delete ${count} files`),
  file: "File",
  missing: "This file doesn’t exist any more.",
  cid: "CID",
  type: "Type",
  size: "Size",
  usedIn: "Used in",
  notUsed: "No record uses this file.",
  look: "Look further",
  notFound: "Not among the records that we looked at.",
  download: "Download",
  noPreview: "There’s no preview for this kind of file.",
  preview: "Preview"
} as const
