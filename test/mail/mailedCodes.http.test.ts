import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { CapturedMails } from "../../src/layers/mail/MailerCaptured.ts"
import { Accounts } from "../../src/services/accounts/Accounts.ts"
import type { Mail } from "../../src/services/mail/Mailer.ts"
import type { HostServices } from "../../src/http/host.ts"
import { newcomer, waitingCodes } from "../support/http/httpCodes.ts"
import { basic, bearer, type Host, startHost } from "../support/http/httpHost.ts"
import { ok, outcomeOf, session } from "../support/http/httpWorld.ts"

const server = (host: Host, name: string, auth: string, input?: object) =>
  host.call(`com.atproto.server.${name}`, {
    auth,
    ...(input === undefined ? { method: "POST" } : { input })
  })

const mailsOf = (host: Host): Promise<ReadonlyArray<Mail>> => {
  const mails = Effect.flatMap(CapturedMails, ({ all }) => all)
  // SAFETY: a host with a capturing mailer also has this service.
  return host.beneath(mails as unknown as Effect.Effect<ReadonlyArray<Mail>, never, HostServices>)
}

const codeIn = ({ text }: Mail): string => /\b[A-Z2-7]{5}-[A-Z2-7]{5}\b/.exec(text)?.[0] ?? ""

const url = "https://mail.example.com/send"
const overHttp = {
  MAILER: "http",
  MAIL_FROM: "Our PDS <pds@example.com>",
  MAIL_HTTP_URL: url,
  MAIL_HTTP_TOKEN: "the provider's token"
}

describe("mailed codes", () => {
  it("a code goes to the account's address, with its purpose, and works", async () => {
    const host = await startHost({ MAILER: "captured", BRAND_NAME: "Nacre of Tests" })
    const who = await newcomer(host, "reader")
    ok(await server(host, "requestEmailConfirmation", who.auth))
    const [mail] = await mailsOf(host)
    assert.deepInclude(mail, { to: who.email, purpose: "confirm_email" })
    assert.include(mail?.subject, "Nacre of Tests")
    assert.include(mail?.text, `@${who.handle}`)
    assert.include(mail?.text, "15 minutes")
    const input = { email: who.email, token: codeIn(mail!) }
    ok(await server(host, "confirmEmail", who.auth, input))
    ok(await server(host, "requestEmailUpdate", who.auth))
    ok(await server(host, "requestAccountDelete", who.auth))
    const sent = await mailsOf(host)
    assert.deepStrictEqual(
      sent.map(({ purpose }) => purpose),
      ["confirm_email", "update_email", "delete_account"]
    )
    assert.strictEqual(new Set(sent.map(codeIn)).size, 3)
    await host.close()
  })

  it("the administrator can read codes only on a host without mail", async () => {
    const [silent, mailing] = [await startHost(), await startHost({ MAILER: "captured" })]
    const waiting = async (host: Host) => {
      const { did, auth } = await newcomer(host, "reader")
      ok(await server(host, "requestAccountDelete", auth))
      const pending = await host.beneath(
        Effect.flatMap(Accounts, (accounts) => accounts.call(did, "pendingCodes"))
      )
      assert.deepStrictEqual(
        Object.fromEntries(pending.map(({ purpose, code }) => [purpose, code])),
        await waitingCodes(host, did)
      )
      return pending.map(({ purpose }) => purpose)
    }
    assert.deepStrictEqual(await waiting(silent), ["delete_account"])
    assert.deepStrictEqual(await waiting(mailing), [])
    await silent.close()
    await mailing.close()
  })

  it("only the administrator can read codes, by handle, address or DID", async () => {
    const host = await startHost()
    const who = await newcomer(host, "reader")
    ok(await server(host, "requestAccountDelete", who.auth))
    const codes = await waitingCodes(host, who.did)
    const ask = (account: string, auth: string | undefined) =>
      host.ask("/admin/codes", { params: { account }, auth })
    for (const account of [who.handle, who.email, who.did]) {
      const answer = await ask(account, basic())
      assert.strictEqual(answer.headers.get("cache-control"), "no-store")
      const [{ purpose, code }] = ok(answer)["codes"]
      assert.deepStrictEqual({ [purpose]: code }, codes)
    }
    for (const [auth, outcome] of [
      [undefined, "401 AuthMissing"],
      [who.auth, "401 AuthenticationRequired"],
      [basic("wrong"), "401 AuthenticationRequired"]
    ] as const) {
      assert.strictEqual(outcomeOf(await ask(who.did, auth)), outcome)
    }
    assert.strictEqual(outcomeOf(await ask("nobody.test", basic())), "400 InvalidRequest")
    assert.strictEqual(outcomeOf(await ask("", basic())), "400 InvalidRequest")
    await host.close()
  })

  it("each purpose allows five codes an hour and fifteen a day", async () => {
    const host = await startHost({ MAILER: "captured", RATE_LIMITS: "sensitive" })
    const who = await newcomer(host, "asker")
    const ask = async (name: string) => {
      const { accessJwt } = await session(host, who.did, "full")
      return outcomeOf(await server(host, name, bearer(accessJwt)))
    }
    const asked: Array<string> = []
    for (let hour = 0; hour < 4; hour++) {
      for (let time = 0; time < 6; time++) asked.push(await ask("requestAccountDelete"))
      host.advance(3_600_000)
    }
    const hour = [...Array.from({ length: 5 }, () => "ok"), "429 RateLimitExceeded"]
    const over = Array.from({ length: 6 }, () => "429 RateLimitExceeded")
    assert.deepStrictEqual(asked, [...hour, ...hour, ...hour, ...over])
    assert.strictEqual(await ask("requestEmailConfirmation"), "ok")
    const codes = (await mailsOf(host)).filter((mail) => codeIn(mail) !== "")
    assert.lengthOf(codes, 16)
    await host.close()
  })

  it("a failing mail is tried twice and then reported", async () => {
    const host = await startHost(overHttp)
    const who = await newcomer(host, "unlucky")
    const refused = await server(host, "requestEmailConfirmation", who.auth)
    assert.strictEqual(outcomeOf(refused), "502 UpstreamFailure")
    assert.deepStrictEqual(
      host.network.asked.filter((asked) => asked === url),
      [url, url]
    )
    host.network.web.set(url, () => Response.json({ id: "1" }))
    ok(await server(host, "requestEmailConfirmation", who.auth))
    await host.close()
  })

  it("requestPasswordReset doesn't wait for the mail or report its failure", async () => {
    const host = await startHost(overHttp)
    const { email } = await newcomer(host, "forgetful")
    const answer = await server(host, "requestPasswordReset", "", { email })
    assert.deepStrictEqual([answer.status, answer.text], [200, ""])
    while (!host.network.asked.includes(url)) await new Promise((done) => setTimeout(done, 5))
    await host.close()
  })

  it("a code needs an address to be sent to", async () => {
    const host = await startHost({ MAILER: "captured" })
    const nsid = "com.atproto.server.createAccount"
    const person = { handle: "nameless.test", did: "did:web:nameless.test", password: "a password" }
    const made = ok(await host.call(nsid, { auth: basic(), input: person }))
    const auth = bearer(made["accessJwt"])
    for (const name of ["requestEmailConfirmation", "requestAccountDelete"]) {
      assert.strictEqual(outcomeOf(await server(host, name, auth)), "400 InvalidRequest", name)
    }
    await host.close()
  })
})
