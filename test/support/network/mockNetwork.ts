import { verifyJwt } from "@atproto/xrpc-server"
import { type MockService, type Received, startMock } from "./mockService.ts"

/** The DIDs of the mock services. */
export const services = {
  appView: "did:web:api.view.example.com",
  chat: "did:web:chat.example.com",
  moderation: "did:web:mod.example.com",
  generator: "did:web:feeds.example.com"
} as const

/**
 * The services that the Bluesky app needs besides its account's server, each a real server on this
 * machine.
 */
export interface MockNetwork {
  readonly appView: MockService
  readonly chat: MockService
  /** A labeler that accepts reports. */
  readonly moderation: MockService
  /** A feed generator. */
  readonly generator: MockService
  readonly all: ReadonlyArray<MockService>
  /** Configures a host to use these services. */
  readonly env: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** The token of a request. */
export const tokenOf = ({ headers }: Received): string =>
  (headers.authorization ?? "").replace(/^Bearer /, "")

/** A part of a token, decoded but not verified. */
const part = (token: string, at: number): Readonly<Record<string, unknown>> =>
  // SAFETY: tests read tokens that this server has created: both parts are objects.
  JSON.parse(Buffer.from(token.split(".")[at] ?? "", "base64url").toString()) as Readonly<
    Record<string, unknown>
  >

/** The header of a token. */
export const headerOf = (token: string) => part(token, 0)

/** The claims of a token. */
export const claimsOf = (token: string) => part(token, 1)

/** Verifies a token with the official library, as services do. */
export const verify = (
  received: Received,
  aud: string,
  lxm: string,
  keyOf: (did: string) => Promise<string>
) => verifyJwt(tokenOf(received), aud, lxm, (iss) => keyOf(iss.split("#", 1)[0] ?? ""))

/** Starts the services. */
export const startMockNetwork = async (): Promise<MockNetwork> => {
  const [appView, chat, moderation, generator] = await Promise.all([
    startMock(),
    startMock(),
    startMock(),
    startMock()
  ])
  const all = [appView, chat, moderation, generator]
  return {
    appView,
    chat,
    moderation,
    generator,
    all,
    env: {
      APP_VIEW: `${services.appView}#bsky_appview ${appView.url}`,
      CHAT_SERVICE: `${services.chat}#bsky_chat ${chat.url}`,
      MOD_SERVICE: `${services.moderation}#atproto_labeler ${moderation.url}`,
      DEV_ALLOW_HOSTS: all.map(({ host }) => host).join(",")
    },
    close: async () => {
      await Promise.all(all.map((service) => service.close()))
    }
  }
}
