export const root: string
export function build(options?: {
  readonly entry?: string
  readonly minify?: boolean
}): Promise<{ readonly code: string }>
