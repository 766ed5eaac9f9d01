import * as Context from "effect/Context"

/** A request, as a dataset keeps it. */
export interface RequestPoint {
  /** The NSID, or the route's path. */
  readonly method: string
  /** The HTTP method. */
  readonly verb: string
  readonly status: number
  readonly millis: number
}

/** A dataset of requests; writing never waits and never fails. */
export interface RequestMetricsShape {
  write(point: RequestPoint): void
}

/** The dataset of requests; undefined if there is none. */
export const RequestMetrics = Context.Reference<RequestMetricsShape | undefined>(
  "nacre/services/RequestMetrics",
  { defaultValue: () => undefined }
)
