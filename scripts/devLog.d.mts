export const logFormats: ReadonlyArray<"pretty" | "json">
export function lineFor(message: string, options: { readonly hasColours: boolean }): string
export function printLog(
  format: "pretty" | "json"
): (entry: { readonly level: string; readonly message: string }) => void
