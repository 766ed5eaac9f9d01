import { request } from "node:http"
import { TOTP } from "otpauth"
import { enter, ours } from "../http/accountPages.ts"
import { Browser } from "../http/httpBrowser.ts"
import { origin } from "../http/httpHost.ts"
import type { TestServer } from "./server.ts"

/** Sends a browser's request to a server: `fetch` would set its own headers. */
const handlerOf =
  (server: TestServer) =>
  async (asked: Request): Promise<Response> => {
    const body = await asked.text()
    const headers = Object.fromEntries(asked.headers)
    if (headers["origin"] === origin) headers["origin"] = server.publicUrl
    return new Promise((resolve, reject) => {
      const { pathname, search } = new URL(asked.url)
      const sent = request(`${server.publicUrl}${pathname}${search}`, {
        method: asked.method,
        headers: { ...headers, "content-length": Buffer.byteLength(body) }
      })
      sent.once("error", reject)
      sent.once("response", (answer) => {
        const pieces: Array<Buffer> = []
        answer.on("data", (piece: Buffer) => pieces.push(piece))
        answer.once("end", () => {
          const received = new Headers()
          for (const [name, value] of Object.entries(answer.headersDistinct)) {
            for (const one of value ?? []) received.append(name, one)
          }
          const status = answer.statusCode ?? 0
          resolve(new Response(Buffer.concat(pieces), { status, headers: received }))
        })
      })
      sent.end(body)
    })
  }

/** Turns an authenticator on through a running server's pages; returns the recovery codes. */
export const turnAuthenticatorOn = async (
  server: TestServer,
  who: { readonly handle: string; readonly password: string }
): Promise<ReadonlyArray<string>> => {
  const browser = new Browser({ handler: handlerOf(server) })
  await enter(browser, who)
  const off = await browser.get("/account/authenticator", ours)
  const setUp = await browser.submit(off.form("/authenticator/begin"))
  const form = setUp.form("/authenticator/confirm")
  const code = new TOTP({ secret: form.fields["secret"] ?? "" }).generate()
  const on = await browser.submit(form, { code })
  return [...on.text.matchAll(/<code>(\w{5}-\w{5})<\/code>/g)].map(([, one]) => one!)
}
