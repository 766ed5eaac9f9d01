import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { deviceCookie, keepDevice } from "../../src/http/pages/cookies.ts"
import { type Child, html, raw } from "../../src/http/pages/html.ts"
import { showPage } from "../../src/http/pages/layout.ts"
import { stylesheet, textOn } from "../../src/http/pages/style.ts"
import { isCovered, nextStep, type Situation } from "../../src/http/oauth/authorizeStep.ts"
import * as ConfigEnv from "../../src/layers/host/ConfigEnv.ts"

const settings = (env: Record<string, string> = {}) =>
  Result.getOrThrow(
    ConfigEnv.read({
      PUBLIC_URL: "https://pds.example.com",
      MASTER_KEY: Buffer.alloc(32, 7).toString("base64url"),
      PLC_ROTATION_KEY: "42".repeat(32),
      ADMIN_PASSWORD: "correct horse battery",
      ...env
    })
  )

describe("html", () => {
  it("html escapes every value, in text and in attributes", () => {
    const bad = `<a href='x'>&"\``
    assert.strictEqual(
      html`<p title="${bad}">${bad}</p>`.toString(),
      `<p title="&lt;a href=&#39;x&#39;&gt;&amp;&quot;&#96;">&lt;a href=&#39;x&#39;&gt;&amp;&quot;&#96;</p>`
    )
  })

  it("html joins lists, keeps HTML and leaves out absent values", () => {
    const list: ReadonlyArray<Child> = ["<", html`<b>${">"}</b>`, undefined, null, false, 0]
    assert.strictEqual(html`${list}${raw("<hr>")}${[[["x"]]]}`.toString(), "&lt;<b>&gt;</b>0<hr>x")
  })

  it("html rejects parsed JSON that looks like HTML", () => {
    const parsed = JSON.parse(`{"text":"<script>","toString":"<script>"}`)
    assert.throws(() => html`${parsed}`.toString())
  })
})

describe("the device's cookie", () => {
  const local = { PUBLIC_URL: "http://localhost:8787" }
  const asked = (cookie: string) =>
    new Request("https://pds.example.com/account", { headers: { cookie } })

  it("the cookie of a public host has the __Host- prefix, HttpOnly and Secure", () => {
    const [pair, ...attributes] = keepDevice("value", settings()).split("; ")
    assert.strictEqual(pair, "__Host-nacre-device=value")
    assert.sameMembers(attributes, [
      "Path=/",
      "HttpOnly",
      "SameSite=Lax",
      "Max-Age=31536000",
      "Secure"
    ])
    assert.match(
      keepDevice("value", settings(local)),
      /^nacre-device=value; .*HttpOnly; SameSite=Lax/
    )
    assert.notInclude(keepDevice("value", settings(local)), "Secure")
  })

  it("the cookie counts only under its name and only once", () => {
    const found = (cookie: string) => deviceCookie(asked(cookie), settings())
    assert.strictEqual(found("a=1; __Host-nacre-device=value; b=2"), "value")
    assert.isUndefined(found("nacre-device=planted"))
    assert.isUndefined(found("__Host-nacre-device=value; __Host-nacre-device=planted"))
  })
})

const page = { title: "<T>", body: html`<h1>Hello</h1>` }

const strict = (env: Record<string, string>) =>
  showPage(page, settings(env)).headers.get("strict-transport-security")

describe("a page", () => {
  it("a page’s policy allows its own script and style by hash, and nothing else", async () => {
    const script = "document.title = 'x'"
    const response = showPage({ ...page, script }, settings())
    const text = await response.text()
    const policy = response.headers.get("content-security-policy") ?? ""
    for (const [tag, directive] of [
      ["script", "script-src"],
      ["style", "style-src"]
    ] as const) {
      const content = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(text)?.[1] ?? ""
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content))
      const hash = Buffer.from(digest).toString("base64")
      assert.include(policy, `${directive} 'sha256-${hash}'`)
    }
    assert.include(text, "<title>&lt;T&gt; – pds.example.com</title>")
  })

  it("a page of a public server has HSTS", () => {
    assert.strictEqual(strict({}), "max-age=63072000")
    assert.isNull(strict({ PUBLIC_URL: "http://localhost:8787" }))
  })

  it("a page has the brand’s look, and may load only the brand’s pictures", async () => {
    const config = settings({
      BRAND_NAME: "Pearl & Co",
      BRAND_LOGO_URL: "https://cdn.example.com/logo.svg",
      BRAND_COLOR: "#FB0",
      BRAND_BACKGROUND: `https://img.example.net/a"b.jpg`,
      BRAND_LINKS: "Home=https://example.com/?a=b, Help = https://example.com/help",
      PRIVACY_POLICY_URL: "https://example.com/privacy",
      CONTACT_EMAIL: "help@example.com"
    })
    const response = showPage(page, config)
    const text = await response.text()
    assert.include(text, "Pearl &amp; Co")
    assert.include(text, `<img src="https://cdn.example.com/logo.svg"`)
    assert.include(text, "--accent:#ffbb00;--on-accent:#000;")
    assert.include(text, `url("https://img.example.net/a%22b.jpg")`)
    for (const link of [
      "https://example.com/?a=b",
      "https://example.com/help",
      "https://example.com/privacy",
      "mailto:help@example.com"
    ]) {
      assert.include(text, `href="${link}"`)
    }
    assert.include(
      response.headers.get("content-security-policy"),
      "img-src 'self' data: https://cdn.example.com https://img.example.net;"
    )
  })

  it("a page’s text has enough contrast on every brand colour", () => {
    for (const [color, text] of [
      ["#000000", "#fff"],
      ["#ffffff", "#000"],
      ["#3f46a8", "#fff"],
      ["#ffb703", "#000"],
      ["#777777", "#000"],
      ["#1d4ed8", "#fff"]
    ] as const) {
      assert.strictEqual(textOn(color), text, color)
    }
    const { brand } = settings({ BRAND_BACKGROUND: "#102030" })
    assert.include(stylesheet(brand), ".top,.foot,.foot a{color:#fff}")
  })
})

describe("the brand's configuration", () => {
  it("an invalid colour, picture or link of the brand is rejected", () => {
    for (const [variable, value] of [
      ["BRAND_NAME", "x".repeat(65)],
      ["BRAND_COLOR", "red"],
      ["BRAND_COLOR", "#12345"],
      ["BRAND_COLOR", "#000;}body{display:none"],
      ["BRAND_LOGO_URL", "http://cdn.example.com/logo.svg"],
      ["BRAND_LOGO_URL", "javascript:alert(1)"],
      ["BRAND_BACKGROUND", "url(x)"],
      ["BRAND_LINKS", "https://example.com"],
      ["BRAND_LINKS", "Home=javascript:alert(1)"]
    ] as const) {
      assert.throws(() => settings({ [variable]: value }), variable)
    }
  })
})

const day = 86_400_000
const now = 1_800_000_000_000
const account = (did: string, age = 0) => ({ did, authenticatedAt: now - age, remembered: true })

const decide = (change: Partial<Situation>) => {
  const step = nextStep({
    prompt: undefined,
    hint: undefined,
    accounts: [],
    chosen: {},
    requestedAt: now - 60_000,
    now,
    canSignUp: true,
    ...change
  })
  return "did" in step ? `${step.kind} ${step.did}` : step.kind
}

describe("the next page of a request", () => {
  const one = [account("a", 120_000)]
  const two = [account("a", 120_000), account("b", 8 * day)]
  const cases: ReadonlyArray<readonly [string, Partial<Situation>]> = [
    ["sign in", {}],
    ["consent a", { accounts: one }],
    ["sign in a", { accounts: [account("a", 8 * day)] }],
    ["choose", { accounts: two }],
    ["consent a", { accounts: two, chosen: { account: "a" } }],
    ["sign in b", { accounts: two, chosen: { account: "b" } }],
    ["choose", { accounts: two, chosen: { account: "c" } }],
    ["sign in", { chosen: { account: "c" } }],
    ["sign in", { accounts: two, chosen: { page: "sign-in" } }],
    ["choose", { accounts: one, chosen: { page: "choose" } }],
    ["sign in", { chosen: { page: "choose" } }],
    ["sign up", { accounts: one, chosen: { page: "sign-up" } }],
    ["consent a", { accounts: one, chosen: { page: "sign-up" }, canSignUp: false }],
    ["choose", { accounts: one, prompt: "select_account" }],
    ["consent a", { accounts: one, prompt: "select_account", chosen: { account: "a" } }],
    ["sign in a", { accounts: one, prompt: "login" }],
    ["consent a", { accounts: [account("a", 30_000)], prompt: "login" }],
    ["consent a", { accounts: one, prompt: "consent" }],
    ["sign up", { accounts: one, prompt: "create" }],
    ["consent a", { accounts: one, prompt: "create", chosen: { account: "a" } }],
    ["consent a", { accounts: one, prompt: "create", canSignUp: false }],
    ["consent a", { accounts: two, hint: "a" }],
    ["sign in b", { accounts: two, hint: "b" }],
    ["sign in c", { accounts: two, hint: "c" }],
    ["sign in c", { accounts: two, hint: "c", chosen: { account: "a", page: "choose" } }],
    ["consent a", { accounts: two, hint: "a", prompt: "select_account" }]
  ]

  it("the next page follows from the signed-in accounts, the app’s request and the choice", () => {
    for (const [expected, situation] of cases) {
      assert.strictEqual(decide(situation), expected, JSON.stringify(situation))
    }
  })

  it("consent isn’t asked again if every scope was granted before", () => {
    assert.isTrue(isCovered("atproto repo:a", "repo:a atproto blob:*/*"))
    assert.isFalse(isCovered("atproto repo:a", "atproto repo:a?action=create"))
    assert.isFalse(isCovered("atproto", undefined))
  })
})
