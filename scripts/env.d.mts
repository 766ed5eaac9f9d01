export const configurationNames: ReadonlyArray<string>
export function parseVars(text: string): Record<string, string>
export function readablePassword(): string
export function loadSecrets(path: string): {
  readonly vars: Record<string, string>
  readonly added: Array<string>
}
export function writePrivate(path: string, text: string): void
