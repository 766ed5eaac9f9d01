export function importsOf(text: string): Array<string>
export function codeOnly(text: string): string
export function breachesOf(sources: ReadonlyMap<string, string>): Array<string>
export function readSources(folder: string): Map<string, string>
