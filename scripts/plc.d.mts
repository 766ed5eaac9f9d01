/** A running PLC directory for development. */
export interface DevelopmentPlc {
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

/** Starts a directory on 127.0.0.1; `file` makes it persistent, port 0 picks a free one. */
export function startPlc(options?: {
  readonly port?: number
  readonly file?: string
}): Promise<DevelopmentPlc>
