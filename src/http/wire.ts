/** An error on the wire. */
export interface WireError {
  readonly status: number
  readonly error: string
  readonly message: string
  readonly headers?: Record<string, string>
}

/** An error with the failure's own message. */
export const plain =
  (status: number, error: string) =>
  (failure: { readonly message: string }): WireError => ({
    status,
    error,
    message: failure.message
  })

/** 400 with this error name. */
export const badRequest = (error: string, message: string): WireError => ({
  status: 400,
  error,
  message
})

/** 503: retry later. */
export const unavailable = (message: string): WireError => ({
  status: 503,
  error: "ServiceUnavailable",
  message
})

/** 502: another server failed. */
export const upstream = (message: string): WireError => ({
  status: 502,
  error: "UpstreamFailure",
  message
})

/** 503: the server has reached one of its own limits for the moment. */
export const busy = ({
  message,
  retryAfterSeconds
}: {
  readonly message: string
  readonly retryAfterSeconds: number
}): WireError => ({
  ...unavailable(message),
  headers: { "retry-after": String(retryAfterSeconds) }
})
