const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Parses bytes as a JSON object, such as a part of a JWT; undefined if they are anything else. */
export const jsonObject = (bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined => {
  try {
    const json: unknown = JSON.parse(utf8.decode(bytes))
    return typeof json === "object" && json !== null && !Array.isArray(json)
      ? // SAFETY: a JSON object has text keys.
        (json as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}
