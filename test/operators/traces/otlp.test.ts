import { assert, describe, it } from "@effect/vitest"
import { otlpBody, parseHeaders, parseTrace, traceText } from "../../../src/core/operators/otlp.ts"
import { version } from "../../../src/core/host/version.ts"

const traceId = "0123456789abcdef".repeat(2)
const spanId = "fedcba9876543210"

describe("OTLP", () => {
  it("a body has the form that a collector takes", () => {
    const body = JSON.parse(
      otlpBody(
        [
          {
            traceId,
            spanId,
            parentId: "1".repeat(16),
            name: "GET /",
            kind: "server",
            startedAt: 1_796_058_380_000_000_001n,
            endedAt: 1_796_058_380_000_000_002n,
            failure: "NoSuchAccount",
            attributes: { "http.response.status_code": 400, "http.route": "/" }
          }
        ],
        "pds.example.com"
      )
    )
    const text = (key: string, stringValue: string) => ({ key, value: { stringValue } })
    assert.deepStrictEqual(body, {
      resourceSpans: [
        {
          resource: {
            attributes: [
              text("service.name", "nacre"),
              text("service.version", version),
              text("service.instance.id", "pds.example.com")
            ]
          },
          scopeSpans: [
            {
              scope: { name: "nacre", version },
              spans: [
                {
                  traceId,
                  spanId,
                  parentSpanId: "1".repeat(16),
                  name: "GET /",
                  kind: 2,
                  startTimeUnixNano: "1796058380000000001",
                  endTimeUnixNano: "1796058380000000002",
                  attributes: [
                    { key: "http.response.status_code", value: { intValue: "400" } },
                    text("http.route", "/"),
                    text("error.type", "NoSuchAccount")
                  ],
                  status: { code: 2 }
                }
              ]
            }
          ]
        }
      ]
    })
  })

  it("headers are names and percent-encoded values, and nothing else is accepted", () => {
    assert.deepStrictEqual(parseHeaders("authorization=Bearer%20a%3Db, X-Scope = one"), {
      authorization: "Bearer a=b",
      "x-scope": "one"
    })
    for (const bad of [
      "",
      "authorization",
      "=x",
      "a=",
      "a b=c",
      "a=%0d%0aHost:%20x",
      "a=%",
      "Host=x",
      "content-length=1",
      "a=b,"
    ]) {
      assert.isUndefined(parseHeaders(bad), bad)
    }
  })

  it("a trace's place is read back, and any other text isn't one", () => {
    assert.deepStrictEqual(parseTrace(traceText({ traceId, spanId })), { traceId, spanId })
    for (const bad of [null, "", traceId, `${traceId}-`, `${traceId}-${spanId}0`, "x".repeat(49)]) {
      assert.isUndefined(parseTrace(bad))
    }
  })
})
