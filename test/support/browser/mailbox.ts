import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { until } from "../server/server.ts"

/** A mail as the server gave it to its provider. */
export interface SentMail {
  readonly to: ReadonlyArray<string>
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** A mail provider on this machine. */
export interface Mailbox {
  /** The server's settings for it. */
  readonly env: Readonly<Record<string, string>>
  /** Its host and address, for DEV_HOSTS. */
  readonly at: string
  /** The newest mail to an address with these words, once there are `count`. */
  mail(to: string, words: string, count?: number): Promise<SentMail>
  /** The code in that mail. */
  code(to: string, words: string, count?: number): Promise<string>
  close(): Promise<void>
}

const host = "mail.example.com"

/** Starts a mail provider that keeps what it gets. */
export const openMailbox = async (): Promise<Mailbox> => {
  const mails: Array<SentMail> = []
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      // SAFETY: the server sends nothing else.
      mails.push(JSON.parse(Buffer.concat(chunks).toString()) as SentMail)
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  // SAFETY: it listens on a port, not on a pipe.
  const { port } = server.address() as AddressInfo
  const mail: Mailbox["mail"] = async (to, words, count = 1) => {
    const found = () =>
      mails.filter((one) => one.to.includes(to) && `${one.subject} ${one.text}`.includes(words))
    await until(`${count} mails to ${to}: ${words}`, () => found().length >= count)
    return found().at(-1)!
  }
  return {
    env: {
      MAILER: "http",
      MAIL_FROM: `nacre@${host}`,
      MAIL_HTTP_URL: `https://${host}/send`,
      MAIL_HTTP_TOKEN: "a token"
    },
    at: `${host}=127.0.0.1:${port}`,
    mail,
    code: async (...of) => /\b[A-Z2-7]{5}-[A-Z2-7]{5}\b/.exec((await mail(...of)).text)![0],
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
