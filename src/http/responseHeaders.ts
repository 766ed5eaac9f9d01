/** An answer of another object once more, so that its headers can be added to; an upgrade stays as it is. */
export const reopened = (response: Response): Response =>
  response.status === 101 ? response : new Response(response.body, response)

/** Adds headers to an answer, where it has not its own; `Vary` is added to. */
export const withHeaders = (
  response: Response,
  ...groups: ReadonlyArray<Readonly<Record<string, string>>>
): Response => {
  // An upgrade carries a socket and its headers are closed; browsers do not ask CORS of it.
  if (response.status === 101) return response
  for (const headers of groups) {
    for (const name in headers) {
      if (!response.headers.has(name)) response.headers.set(name, headers[name]!)
      else if (name === "vary") response.headers.append(name, headers[name]!)
    }
  }
  return response
}
