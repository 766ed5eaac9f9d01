const refusal = (status: number, error: string, message: string, headers = {}) =>
  Response.json({ error, message }, { status, headers })

/**
 * Parses a request for subscribeRepos, or returns the response that rejects it.
 *
 * Ignores sub-protocols (`Sec-WebSocket-Protocol`): this stream has one form.
 */
export const readUpgrade = (request: Request): { readonly cursor?: number } | Response => {
  if (request.method !== "GET") {
    return refusal(405, "InvalidRequest", "Use GET", { allow: "GET" })
  }
  // An empty value counts as missing, as in every method.
  const text = new URL(request.url).searchParams.get("cursor") || undefined
  const cursor = text === undefined ? undefined : Number(text)
  if (text !== undefined && !(/^-?\d+$/.test(text) && Number.isSafeInteger(cursor))) {
    return refusal(400, "InvalidRequest", "Parameter cursor must be an integer")
  }
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return refusal(426, "InvalidRequest", "This is an event stream: connect by WebSocket", {
      upgrade: "websocket",
      connection: "Upgrade"
    })
  }
  const version = request.headers.get("sec-websocket-version") ?? "13"
  if (version !== "13") {
    return refusal(
      426,
      "InvalidRequest",
      "Only version 13 of the WebSocket protocol is supported",
      {
        upgrade: "websocket",
        connection: "Upgrade",
        "sec-websocket-version": "13"
      }
    )
  }
  return cursor === undefined ? {} : { cursor }
}
