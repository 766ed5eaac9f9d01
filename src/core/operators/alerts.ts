/** An alert's kind: its title, its severity, and how long it must last before it is reported, in milliseconds. */
interface AlertKindText {
  readonly title: string
  readonly severity: "critical" | "warning"
  readonly patience: number
}

/** A little less than the watch's interval: seen twice. */
const twice = 4 * 60_000

/** What the watch looks for; each kind has a page of its name in docs/operate/runbook. */
export const alertKinds = {
  "dependency-down": {
    title: "A dependency doesn't respond",
    severity: "critical",
    patience: twice
  },
  "backup-late": {
    title: "There was no good backup for 36 hours",
    severity: "critical",
    patience: 0
  },
  "backup-faulty": {
    title: "A backup is incomplete or damaged",
    severity: "critical",
    patience: 0
  },
  "backup-drill": {
    title: "The last drill of the backups failed or is old",
    severity: "warning",
    patience: 0
  },
  "foreign-operation": {
    title: "Somebody else changed an account's identity",
    severity: "critical",
    patience: 0
  },
  "outbox-backlog": {
    title: "Events don't reach the stream",
    severity: "critical",
    patience: twice
  },
  "relay-stopped": {
    title: "A relay has stopped reading",
    severity: "warning",
    patience: twice
  },
  "relay-throttled": {
    title: "A relay throttles this server or its accounts",
    severity: "warning",
    patience: twice
  },
  "relay-limit": {
    title: "This server is near a relay's limits",
    severity: "warning",
    patience: 0
  },
  "reset-waiting": {
    title: "A member waits for a code to set a new password",
    severity: "warning",
    patience: 0
  },
  "storage-full": { title: "Storage is nearly full", severity: "warning", patience: twice }
} as const satisfies Record<string, AlertKindText>

/** An alert's kind. */
export type AlertKind = keyof typeof alertKinds

/** Every kind of alert. */
// SAFETY: the keys of the table are the kinds.
export const alertNames = Object.keys(alertKinds) as ReadonlyArray<AlertKind>

/** Whether a text is an alert's kind. */
export const isAlertKind = (text: string): text is AlertKind => Object.hasOwn(alertKinds, text)

/** The ways to report an alert. */
export const channels = ["mail", "webhook"] as const

/** A way to report an alert. */
export type Channel = (typeof channels)[number]

/** Something wrong, as one look at the server finds it. */
export interface Finding {
  readonly kind: AlertKind
  /** What it is about: a dependency, a relay's origin, a DID; empty for the whole server. */
  readonly subject: string
  /** One line, at most 500 characters. */
  readonly detail: string
}

/** Something wrong, from when it began to when it ended; times in milliseconds. */
export interface Alert extends Finding {
  readonly id: number
  readonly begunAt: number
  /** When the watch saw it last. */
  readonly seenAt: number
  readonly endedAt?: number
  /** The channels that reported its begin. */
  readonly reportedBegin: ReadonlyArray<Channel>
  /** The channels that reported its end. */
  readonly reportedEnd: ReadonlyArray<Channel>
}

/** What a look at the server found; `looked` says which alerts it would have found again. */
export interface Look {
  readonly found: ReadonlyArray<Finding>
  readonly looked: (alert: Pick<Alert, "kind" | "subject">) => boolean
}

/** Looks as one. */
export const together = (looks: ReadonlyArray<Look>): Look => ({
  found: looks.flatMap(({ found }) => found),
  looked: (alert) => looks.some(({ looked }) => looked(alert))
})

/** The look of a probe that finds everything of some kinds. */
export const complete = (kinds: ReadonlyArray<AlertKind>, found: ReadonlyArray<Finding>): Look => ({
  found,
  looked: ({ kind }) => kinds.includes(kind)
})

/** An open alert, as it is stored. */
interface Open extends Pick<Alert, "id" | "kind" | "subject" | "begunAt" | "seenAt"> {}

const nameOf = ({ kind, subject }: Pick<Finding, "kind" | "subject">) => `${kind} ${subject}`

/** Whether an alert has lasted long enough to be one. */
export const isDue = ({ kind, begunAt, seenAt }: Pick<Alert, "kind" | "begunAt" | "seenAt">) =>
  seenAt - begunAt >= alertKinds[kind].patience

/** What changes for the open alerts after a look: those that begin, last, end, or were none after all. */
export const settle = (open: ReadonlyArray<Open>, { found, looked }: Look) => {
  const known = new Map(open.map((alert) => [nameOf(alert), alert]))
  const names = new Set(found.map(nameOf))
  const over = open.filter((alert) => !names.has(nameOf(alert)) && looked(alert))
  return {
    begun: [...new Map(found.map((finding) => [nameOf(finding), finding])).values()].filter(
      (finding) => !known.has(nameOf(finding))
    ),
    lasting: found.flatMap((finding) => {
      const alert = known.get(nameOf(finding))
      return alert === undefined ? [] : [{ id: alert.id, detail: finding.detail }]
    }),
    ended: over.filter(isDue).map(({ id }) => id),
    dropped: over.filter((alert) => !isDue(alert)).map(({ id }) => id)
  }
}
