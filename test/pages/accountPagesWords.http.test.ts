import { assert, describe, it } from "@effect/vitest"
import {
  agoInWords,
  appInWords,
  browserInWords,
  dayInWords
} from "../../src/http/pages/account/words.ts"

const webKit = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
const blink = "AppleWebKit/537.36 (KHTML, like Gecko)"

describe("the wording of the account pages", () => {
  it("pages name browsers by their User-Agent", () => {
    const cases: ReadonlyArray<readonly [string, string]> = [
      [
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "Firefox on Linux"
      ],
      [
        `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${blink} Chrome/142.0 Safari/537.36`,
        "Chrome on Windows"
      ],
      [
        `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${blink} Chrome/142.0 Safari/537.36 Edg/142.0`,
        "Edge on Windows"
      ],
      [
        `Mozilla/5.0 (Linux; Android 15) ${blink} Chrome/142.0 Mobile Safari/537.36`,
        "Chrome on Android"
      ],
      [
        `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${webKit} Version/18.0 Safari/605.1.15`,
        "Safari on Mac"
      ],
      [
        `Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) ${webKit} CriOS/142.0 Mobile/15E148 Safari/604.1`,
        "Chrome on iPhone"
      ],
      ["curl/8.5.0", "curl/8.5.0"],
      [`Something ${"x".repeat(200)}`, `Something ${"x".repeat(70)}`]
    ]
    for (const [userAgent, words] of cases) assert.strictEqual(browserInWords(userAgent), words)
    assert.strictEqual(browserInWords(undefined), browserInWords(" "))
  })

  it("pages show recent times as ages and older ones as dates", () => {
    const now = Date.UTC(2026, 10, 21, 12)
    const minute = 60_000
    const cases: ReadonlyArray<readonly [number, string]> = [
      [-5 * minute, "just now"],
      [minute, "just now"],
      [2 * minute, "2 minutes ago"],
      [60 * minute, "1 hour ago"],
      [23.9 * 60 * minute, "23 hours ago"],
      [24 * 60 * minute, "1 day ago"],
      [40 * 24 * 60 * minute, "on 12 October 2026"]
    ]
    for (const [past, words] of cases) assert.strictEqual(agoInWords(now - past, now), words)
    assert.strictEqual(dayInWords(Date.UTC(2026, 1, 28, 23, 59)), "28 February 2026")
  })

  it("pages name apps by their host", () => {
    assert.strictEqual(appInWords("https://app.example.com/client.json"), "app.example.com")
    assert.strictEqual(
      appInWords("http://localhost?scope=atproto"),
      "An app on one of your devices"
    )
    assert.strictEqual(appInWords("http://localhost.example.com/x"), "localhost.example.com")
    assert.strictEqual(appInWords("none"), "none")
  })
})
