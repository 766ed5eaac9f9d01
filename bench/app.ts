/** An OAuth app of the account under load: its sign-in through the pages, and its calls. */
import { createHash, createPrivateKey, randomUUID, sign } from "node:crypto"
import { answerTo, pushed } from "../test/support/http/authorizePages.ts"
import { Browser } from "../test/support/http/httpBrowser.ts"
import { type Answered, requestOf } from "../test/support/http/httpHost.ts"
import { type AppServer, publicApp } from "../test/support/http/oauthApp.ts"
import { type Answer, connect, type Connection } from "./http.ts"

export type BenchApp = Awaited<ReturnType<typeof openApp>>

const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString("base64url")

const headersIn = (head: string): Headers => {
  const lines = head.split("\r\n").slice(1)
  return new Headers(
    lines.map((line): [string, string] => {
      const end = line.indexOf(":")
      return [line.slice(0, end), line.slice(end + 1).trim()]
    })
  )
}

/** Signs an app in, as its person does in a browser, and returns the app's calls. */
export async function openApp({
  publicUrl: origin,
  account
}: {
  readonly publicUrl: string
  readonly account: { readonly did: string; readonly password: string }
}) {
  // Pages answer only at the server's main address.
  const client = await connect(origin)
  const handler = async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url)
    const headers = Object.fromEntries(request.headers)
    delete headers["content-length"]
    if ("origin" in headers) headers["origin"] = origin
    const text = await request.text()
    const body = text === "" ? undefined : text
    const answer = await client.request(request.method, pathname + search, { headers, body })
    const init = { status: answer.status, headers: headersIn(answer.head) }
    return new Response(new Uint8Array(answer.body), init)
  }
  const ask: AppServer["ask"] = async (path, asked): Promise<Answered> => {
    const made = await handler(requestOf(path, asked))
    const { status, headers } = made
    const text = await made.text()
    return { status, headers, text, bytes: Buffer.from(text), body: JSON.parse(text || "{}") }
  }
  // The browser accepts the request instead.
  const beneath = () => Promise.reject(new Error("another process"))
  const app = await publicApp({ ask, beneath, now: Date.now, origin })
  const browser = new Browser({ handler })
  const { path, verifier } = await pushed(app)
  const { did: identifier, password } = account
  const first = await browser.get(path)
  const consent = await browser.submit(first.form("/sign-in"), { identifier, password })
  const back = await browser.post(consent.form("/accept"))
  const { body } = await app.post("/oauth/token", {
    grant_type: "authorization_code",
    code: answerTo(back.location).get("code") ?? "",
    redirect_uri: app.redirectUri,
    code_verifier: verifier
  })
  client.close()
  const accessToken: string = body["access_token"]
  const ath = createHash("sha256").update(accessToken).digest("base64url")
  const { privateJwk, publicJwk: jwk } = app.dpopKey
  const key = createPrivateKey({ key: { ...privateJwk }, format: "jwk" })
  const header = part({ alg: "ES256", typ: "dpop+jwt", jwk })
  let { nonce } = app

  const proofOf = (htm: string, path: string): string => {
    const iat = Math.floor(Date.now() / 1000)
    const htu = `${origin}${path}`
    const signed = `${header}.${part({ jti: randomUUID(), htm, htu, iat, nonce, ath })}`
    const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" })
    return `${signed}.${signature.toString("base64url")}`
  }

  /** Sends a call with a proof, and keeps the nonce for the next one. */
  const send = async (one: Connection, nsid: string, body?: object): Promise<Answer> => {
    const method = body === undefined ? "GET" : "POST"
    const path = `/xrpc/${nsid}`
    const answer = await one.request(method, path, {
      headers: {
        Authorization: `DPoP ${accessToken}`,
        DPoP: proofOf(method, path),
        ...(body === undefined ? {} : { "Content-Type": "application/json" })
      },
      body: body && JSON.stringify(body)
    })
    nonce = /\r\ndpop-nonce: *(\S+)/i.exec(answer.head)?.[1] ?? nonce
    return answer
  }

  /** One call, repeated if the nonce was too old. */
  const call = async (one: Connection, nsid: string, body?: object): Promise<Answer> => {
    const first = await send(one, nsid, body)
    const isOld = first.status === 401 && first.body.includes("use_dpop_nonce")
    const answer = isOld ? await send(one, nsid, body) : first
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`)
    return answer
  }
  return { call }
}
