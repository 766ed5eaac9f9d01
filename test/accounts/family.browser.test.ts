import { AtpAgent } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Browser } from "playwright-core"
import { type Desk, makeDesk, type Ran } from "../cli/command.ts"
import { arrive, look, newVisitor, picture, startBrowser } from "../support/browser/browser.ts"
import { startWorker, type TestServer } from "../support/server/server.ts"

let server: TestServer
let browser: Browser
/** The machines of the family's administrator and of its members. */
let study: Desk
let elsewhere: Desk

beforeAll(async () => {
  server = await startWorker({ BRAND_NAME: "Our family", BRAND_BACKGROUND: "#eef0f8" })
  browser = await startBrowser()
  study = makeDesk(server)
  elsewhere = makeDesk()
})
afterAll(async () => {
  study?.remove()
  elsewhere?.remove()
  await browser?.close()
  await server?.stop()
})

const good = (ran: Ran): Ran => {
  assert.strictEqual(ran.code, 0, ran.stderr)
  return ran
}

/** Signs in like an app, posts, and reads the post. */
const posts = async (identifier: string, password: string) => {
  const agent = new AtpAgent({ service: server.publicUrl })
  await agent.login({ identifier, password })
  const { uri } = await agent.post({ text: `I am ${identifier}` })
  const [, rkey = ""] = /\/([^/]+)$/.exec(uri) ?? []
  const { value } = await agent.app.bsky.feed.post.get({ repo: identifier, rkey })
  assert.strictEqual(value.text, `I am ${identifier}`)
}

describe("a family on a new server", () => {
  it("a member signs up with the command, using the invite that the command printed", async () => {
    const { stderr } = good(await study.run(["invite", "create"]))
    const command = /nacre (account create .*)$/m.exec(stderr)?.[1] ?? ""
    const args = command.replace("<name>", "dad").replace("<address>", "dad@example.com").split(" ")
    const env = { NACRE_NEW_PASSWORD: "the password of dad" }
    good(await elsewhere.run(args, env))
    await posts("dad.test", "the password of dad")
    // The code was for one account.
    const again = await elsewhere.run(
      args.map((arg) => arg.replace("dad", "uncle")),
      env
    )
    assert.strictEqual(again.code, 1)
    assert.match(again.stderr, /invite code not available[\s\S]*nacre invite create/)
  })

  it("a member signs up in a browser with the invite's link and is signed in", async () => {
    const { stderr } = good(await study.run(["invite", "create"]))
    const link = /http\S+\/account\/sign-up\?invite=\S+/.exec(stderr)?.[0] ?? ""
    const visitor = await newVisitor(browser)
    const page = await visitor.newPage()
    await page.goto(link)
    await arrive(page, "Create an account")
    await look(page, "account-sign-up")
    await page.getByLabel("Username").first().fill("mum")
    await page.getByLabel("Email").fill("mum@example.com")
    await page.getByLabel("Password").fill("the password of mum")
    await page.getByRole("button", { name: "Create account" }).click()
    await arrive(page, "Your account")
    await page.getByText("Welcome!").waitFor()
    await look(page, "account-made")
    await picture(page, "account")
    await visitor.close()
    await posts("mum.test", "the password of mum")
  })

  it("the administrator manages members by name", async () => {
    const { stdout } = good(await study.run(["account", "list"]))
    for (const handle of ["you.test", "dad.test", "mum.test"]) assert.include(stdout, handle)
    assert.match(good(await study.run(["invite", "list"])).stdout, /1 of 1/)
    good(await study.run(["account", "handle", "grandpa", "--account", "dad"]))
    const { json } = good(await study.run(["account", "show", "grandpa", "--json"]))
    assert.deepInclude(json, { handle: "grandpa.test", email: "dad@example.com", active: true })
    const made = good(await study.run(["account", "password", "grandpa", "--generate", "--json"]))
    await posts("grandpa.test", made.json["password"])
    const status = good(await study.run(["status", "--account", "grandpa", "--json"]))
    assert.isTrue(status.json["account"].checks.every(({ ok }: { readonly ok: boolean }) => ok))
    good(await study.run(["account", "delete", "grandpa", "--now", "--yes"]))
    const gone = await study.run(["account", "show", "grandpa", "--json"])
    assert.strictEqual(gone.code, 1)
    assert.include(gone.json["next"], "nacre account list")
  })
})
