import type { WorkerOptions } from "miniflare"

export function readWrangler(path: string): Promise<{
  readonly name: string
  readonly main: string
  readonly vars: Readonly<Record<string, string>>
  readonly options: Partial<WorkerOptions>
}>
