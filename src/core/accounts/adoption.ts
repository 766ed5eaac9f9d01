/** An account in the report. */
export interface ReportedAccount {
  readonly did: string
  readonly handle: string | undefined
  readonly status: string
  readonly commit: string
  readonly rev: string
  readonly records: number
  readonly blobs: number
  readonly missingBlobs: ReadonlyArray<string>
  readonly appPasswords: number
  readonly sessions: number
  /** Sessions of OAuth apps. */
  readonly apps: number
  /** OAuth apps whose permissions are remembered. */
  readonly consents: number
  readonly letGo: ReadonlyArray<string>
}

/** What was adopted, what wasn't, and what has no place here. */
export interface AdoptionReport {
  readonly accounts: ReadonlyArray<ReportedAccount>
  /** Accounts that an earlier run finished. */
  readonly doneBefore: ReadonlyArray<string>
  readonly skipped: ReadonlyArray<string>
  readonly faults: ReadonlyArray<{
    readonly did: string
    readonly handle: string | undefined
    readonly problem: string
  }>
  readonly invites: number
  readonly reservedKeys: number
  /** The last sequence number of the old stream. */
  readonly seq: number
  readonly letGo: ReadonlyArray<string>
}
