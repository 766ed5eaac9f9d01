export const isInstalled: boolean
export const root: string
export const startCommand: string
export function wranglerFile(): string
export function loadTool(name: string): Promise<Record<string, unknown>>
export const nacre: string
