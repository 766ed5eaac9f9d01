// What the peers' programs use of packages that are installed beside these tests only.

declare module "@atproto/pds" {
  interface Mail {
    readonly to: string
    readonly subject: string
    readonly html: string
    readonly text?: string
  }
  interface Running {
    readonly ctx: {
      readonly mailer: { readonly transporter: { sendMail: (mail: Mail) => Promise<void> } }
    }
    start(): Promise<unknown>
    destroy(): Promise<void>
  }
  const reference: {
    readonly PDS: { create(config: unknown, secrets: unknown): Promise<Running> }
    readEnv(): unknown
    envToCfg(env: unknown): unknown
    envToSecrets(env: unknown): unknown
  }
  export default reference
}

declare module "@did-plc/server" {
  import type { Server } from "node:http"

  const server: {
    readonly PlcServer: {
      create(options: { readonly db: unknown; readonly port: number }): { start(): Promise<Server> }
    }
    readonly Database: { mock(): unknown }
  }
  export default server
}
