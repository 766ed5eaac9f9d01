/** What an entry of an account's history is about. */
export const historyKinds = [
  "created",
  "sign-in",
  "refused",
  "password",
  "password-reset",
  "authenticator-on",
  "authenticator-off",
  "email-factor-on",
  "email-factor-off",
  "recovery-codes",
  "passkey-added",
  "passkey-removed",
  "email",
  "handle",
  "signing-key",
  "recovery-keys",
  "host-key",
  "identity",
  "move-token",
  "app-password",
  "app-password-revoked",
  "access-token",
  "access-token-revoked",
  "app-removed",
  "deactivated",
  "activated",
  "deletion-asked",
  "deletion-undone",
  "quota",
  "suspended",
  "taken-down",
  "restored",
  "content-taken-down",
  "content-restored",
  "data-restored",
  "archive-imported",
  "repaired"
] as const

/** What an entry of an account's history is about. */
export type HistoryKind = (typeof historyKinds)[number]

/** How somebody signed in: in a browser here, by XRPC with the password or an app password, or by OAuth. */
export type SignInWay = "browser" | "password" | "app password" | "app"

/** The credentials that were refused. */
export type RefusedWay = "password" | "code" | "passkey"

/** An event of an account's history; texts are as its client or its owner gave them. */
export interface HistoryEvent {
  readonly kind: HistoryKind
  readonly way?: SignInWay
  /** The browser or app, by its own name: “Firefox on Linux”. */
  readonly client?: string
  /** The city and country. */
  readonly place?: string
  /** An app's client id. */
  readonly app?: string
  /** The name of an app password or passkey, or the path of a record or blob. */
  readonly subject?: string
  readonly before?: string
  readonly after?: string
  readonly reason?: string
  /** Set if an operator or a moderator did it, or the server by itself. */
  readonly by?: "operator" | "server"
  /** Refused attempts of this UTC day, by what was wrong. */
  readonly refused?: Readonly<Partial<Record<RefusedWay, number>>>
  /** The latest refused attempt of the day (ms). */
  readonly until?: number
}

/** An entry of an account's history; `seq` rises, `at` is in milliseconds. */
export interface HistoryEntry extends HistoryEvent {
  readonly seq: number
  readonly at: number
}

/** The most characters of each text. */
const longest = {
  client: 80,
  place: 80,
  app: 256,
  subject: 256,
  before: 254,
  after: 254,
  reason: 500
} as const

/** Shortens an event's texts to what the history keeps. */
export const shortened = (event: HistoryEvent): HistoryEvent => ({
  ...event,
  ...Object.fromEntries(
    Object.entries(longest).flatMap(([name, length]) => {
      const text = event[name as keyof typeof longest]
      return text === undefined ? [] : [[name, text.slice(0, length)]]
    })
  )
})

/**
 * What distinguishes a device from others: the way of signing in, the app or app password, the client's
 * name without its version, and the country.
 *
 * A sign-up's device counts for its owner's browsers and passwords.
 */
export const deviceOf = ({
  kind,
  way,
  app,
  subject,
  client = "",
  place = ""
}: HistoryEvent): string => {
  const country = place.slice(place.lastIndexOf(", ") + 1).trim()
  const named = [client.replace(/\/.*$/, ""), country]
  return (kind === "created" ? named : [way, app ?? subject ?? "", ...named]).join("\0")
}

/** Whether an event ends what a device was known for, so its next sign-in is new. */
export const forgets = (event: HistoryEvent, known: HistoryEvent): boolean => {
  if (event.kind === "app-removed") return known.way === "app" && known.app === event.app
  return (
    event.kind === "app-password-revoked" &&
    known.way === "app password" &&
    known.subject === event.subject
  )
}

/** The kinds that the server mails the owner about. */
const mailed: ReadonlySet<HistoryKind> = new Set<HistoryKind>([
  "sign-in",
  "password",
  "password-reset",
  "authenticator-on",
  "authenticator-off",
  "email-factor-on",
  "email-factor-off",
  "recovery-codes",
  "passkey-added",
  "passkey-removed",
  "app-password",
  "access-token",
  "email",
  "handle",
  "signing-key",
  "recovery-keys",
  "identity",
  "move-token",
  "deletion-asked",
  "deletion-undone"
])

/** The most mails about one kind of event in a day. */
export const mailsADay = 5

/** Whether the server mails the owner about an event; an operator's reset of a factor has its own mail. */
export const isMailed = ({ kind, by }: HistoryEvent): boolean =>
  mailed.has(kind) && !(kind === "authenticator-off" && by === "operator")
