import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Answer, finder, route } from "../../src/http/routes.ts"

/** Distinct handlers, none of which is called. */
const [health, xrpc, page, form, account, home] = Array.from(
  { length: 6 },
  (_, at): Answer<never> => Effect.die(`not called: ${at}`)
) as [Answer<never>, Answer<never>, Answer<never>, Answer<never>, Answer<never>, Answer<never>]

const found = finder([
  route("*", "/xrpc/*", xrpc),
  route("*", "/xrpc/_health", health),
  route("GET", "/page", page),
  route("POST", "/page", form),
  route("*", "/account/*", account),
  route("GET", "/", home)
])

const find = (verb: string, path: string) => found(verb, path)?.answer

describe("finding a route", () => {
  it("find returns the exact route, or else the one above it", () => {
    assert.strictEqual(find("GET", "/xrpc/_health"), health)
    assert.strictEqual(find("POST", "/xrpc/com.example.method"), xrpc)
    assert.strictEqual(find("GET", "/xrpc/_health/more"), xrpc)
    assert.strictEqual(find("GET", "/account"), account)
    assert.strictEqual(find("GET", "/account/sign-in/code"), account)
    assert.strictEqual(find("GET", "/"), home)
  })

  it("find returns the route of the verb, and GET's for HEAD", () => {
    assert.strictEqual(find("GET", "/page"), page)
    assert.strictEqual(find("HEAD", "/page"), page)
    assert.strictEqual(find("POST", "/page"), form)
    assert.isUndefined(find("PUT", "/page"))
    assert.isUndefined(find("POST", "/"))
  })

  it("find accepts capitals and extra slashes", () => {
    for (const path of ["/Page", "/page/", "//page", "/page//"]) {
      assert.strictEqual(find("GET", path), page, path)
    }
    assert.strictEqual(find("GET", "//"), home)
    for (const path of ["/pages", "/page/more", "/xrpcs", "/accounts", "/%70age"]) {
      assert.isUndefined(find("GET", path), path)
    }
  })
})
