import * as Layer from "effect/Layer"
import { RequestMetrics } from "../../services/operators/RequestMetrics.ts"

/**
 * Requests in a dataset of Analytics Engine, if one is bound.
 *
 * Columns: `index1` and `blob1` the method, `blob2` the HTTP method, `blob3` the status, `double1`
 * the milliseconds.
 */
export const layer = (dataset: AnalyticsEngineDataset | undefined): Layer.Layer<never> =>
  dataset === undefined
    ? Layer.empty
    : Layer.succeed(RequestMetrics, {
        write: ({ method, verb, status, millis }) => {
          try {
            dataset.writeDataPoint({
              // An index has at most 96 bytes.
              indexes: [method.slice(0, 96)],
              blobs: [method, verb, String(status)],
              doubles: [millis]
            })
          } catch {
            // A dataset that fails must not fail the request.
          }
        }
      })
