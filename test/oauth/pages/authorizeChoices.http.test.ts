import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { inPlainWords } from "../../../src/core/oauth/plainWords.ts"
import { choicesOf, leftOutOf, rememberedConsent } from "../../../src/core/oauth/scopeChoices.ts"
import { Browser } from "../../support/http/httpBrowser.ts"
import { ok, startWorld, type World } from "../../support/http/httpWorld.ts"
import { answerTo, pushed, signIn } from "../../support/http/authorizePages.ts"
import { type App, confidentialApp, publicApp } from "../../support/http/oauthApp.ts"

const posts = "repo:app.bsky.feed.post"
const likes = "repo:app.bsky.feed.like"
const images = "blob:image/*"
const scope = `atproto ${posts} ${likes} ${images}`

let world: World
let app: App
beforeAll(async () => {
  world = await startWorld()
  app = await publicApp(world, scope)
})
afterAll(() => world.close())

/** Opens a new request's consent page, allows all but some values, and redeems the code. */
const scopeAfter = async (allow: (fields: Record<string, string>) => Record<string, string>) => {
  const browser = new Browser(world)
  const { path, verifier } = await pushed(app)
  const { handle, password } = world.alice
  const first = await browser.get(path)
  const consent = await browser.submit(first.form("/sign-in"), { identifier: handle, password })
  const { action, fields } = consent.form("/accept")
  const back = await browser.post({ action, fields: allow({ ...fields }) })
  const tokens = ok(
    await app.post("/oauth/token", {
      grant_type: "authorization_code",
      code: answerTo(back.location).get("code")!,
      redirect_uri: app.redirectUri,
      code_verifier: verifier
    })
  )
  return String(tokens["scope"])
}

/** A form without the boxes of some scope values. */
const without =
  (...values: ReadonlyArray<string>) =>
  (fields: Record<string, string>) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => !values.includes(value)))

describe("the choices of the consent page", () => {
  it("the token's scope has what the user allowed, and nothing that was left out", async () => {
    assert.strictEqual(await scopeAfter((fields) => fields), scope)
    assert.strictEqual(await scopeAfter(without(likes)), `atproto ${posts} ${images}`)
    assert.strictEqual(await scopeAfter(without(posts, likes, images)), "atproto")
  })

  it("a form can't allow what the app didn't request", async () => {
    const forged = (fields: Record<string, string>) => ({
      ...without(likes)(fields),
      "may-forged": "repo:* transition:generic account:email"
    })
    assert.strictEqual(await scopeAfter(forged), `atproto ${posts} ${images}`)
  })

  it("a confidential client isn't asked again, and gets what was allowed; prompt=consent shows the choice", async () => {
    const { app: server } = await confidentialApp(world, "chooser", scope)
    const browser = new Browser(world)
    const consent = await signIn(browser, server, world.bob)
    const form = consent.form("/accept")
    await browser.post({ action: form.action, fields: without(likes)(form.fields) })
    const again = await browser.get((await pushed(server)).path)
    assert.match(again.text, /http-equiv="refresh" content="0;url=https:\/\/chooser[^"]*code=/)
    const shown = await browser.get((await pushed(server, { prompt: "consent" })).path)
    const values = Object.values(shown.form("/accept").fields)
    assert.include(values, posts)
    assert.notInclude(values, likes)
    assert.include(shown.text, `value="${likes}"`)
  })

  it("transitional scopes can't be left out", async () => {
    const older = await publicApp(world, "atproto transition:generic")
    const page = await signIn(new Browser(world), older, world.alice)
    assert.notInclude(page.text, 'type="checkbox"')
  })

  it("permissions that share a scope value are one choice", () => {
    const both = `repo?collection=app.bsky.feed.post&collection=app.bsky.feed.like`
    const choices = choicesOf(inPlainWords(`atproto ${both} ${images}`, new Map()))
    assert.deepStrictEqual(
      choices.map((choice) => [choice.isOptional, choice.scopes, choice.groups.length]),
      [
        [false, ["atproto"], 1],
        [true, [both], 2],
        [true, [images], 1]
      ]
    )
  })

  it("a remembered consent holds what was left out", () => {
    const stored = rememberedConsent(scope, `atproto ${posts}`)
    assert.strictEqual(stored, `atproto ${posts} -${likes} -${images}`)
    assert.deepStrictEqual([...leftOutOf(stored)], [likes, images])
  })
})
