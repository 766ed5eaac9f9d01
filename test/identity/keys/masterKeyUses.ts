import * as Effect from "effect/Effect"
import { failures } from "../../../src/http/pages/text/failures.ts"
import { MoveIn } from "../../../src/services/accounts/MoveIn.ts"
import { AccountCodes } from "../../../src/services/mail/AccountCodes.ts"
import { ask, enter, type withAuthenticator } from "../../support/http/accountPages.ts"
import { Browser, type Shown } from "../../support/http/httpBrowser.ts"
import { codeFor, waitingCodes } from "../../support/http/httpCodes.ts"
import { bearer, type Host } from "../../support/http/httpHost.ts"
import { ownToken } from "../../support/http/httpScoped.ts"
import {
  appPassword,
  ok,
  outcomeOf,
  type Person,
  post,
  serviceToken
} from "../../support/http/httpWorld.ts"
import { publicApp } from "../../support/http/oauthApp.ts"

/** A server before, during and after its rotation, and two accounts on it. */
export interface Scene {
  /** The server as it is now. */
  host: Host
  readonly advance: (millis: number) => void
  readonly alice: Person
  /** Has an authenticator. */
  readonly bob: Person
  readonly totp: Awaited<ReturnType<typeof withAuthenticator>>["totp"]
  readonly recoveryCodes: ReadonlyArray<string>
  readonly name: string
}

/** One thing that needs the master key. */
export interface Use {
  /** What the master key's derived keys are for. */
  readonly purposes: ReadonlyArray<string>
  /** Makes it under the old key; using it returns the outcome. */
  make(scene: Scene): Promise<() => Promise<string>>
  /** The outcome after the rotation: "ok", or how what ends by design is refused. */
  readonly after: string
}

/** Signs in with a password or an app password. */
export const createSession = (host: Host, { handle }: Person, password: string, code?: string) =>
  host.call("com.atproto.server.createSession", {
    input: {
      identifier: handle,
      password,
      ...(code === undefined ? {} : { authFactorToken: code })
    }
  })

/** Writes a record; the outcome. */
export const write = async (host: Host, { did }: Person, auth: string) =>
  outcomeOf(
    await host.call("com.atproto.repo.createRecord", {
      auth,
      input: { repo: did, collection: "app.bsky.feed.post", record: post() }
    })
  )

const browserAt = (scene: Scene) =>
  new Browser({ handler: (...asked) => scene.host.handler(...asked) })

/** "ok" for a page, or "reload" for the page that asks for that. */
const seen = ({ status, text }: Shown): string => {
  if (status === 403 && text.includes(failures.outdated)) return "reload"
  return status === 200 ? "ok" : String(status)
}

const appAt = (scene: Scene) =>
  publicApp({
    ask: (...asked) => scene.host.ask(...asked),
    beneath: (effect) => scene.host.beneath(effect),
    now: () => scene.host.now()
  })

/** Everything that is derived from the master key, as its users meet it. */
export const uses: Readonly<Record<string, Use>> = {
  "a nonce for an app's proof": {
    purposes: ["dpop nonces"],
    make: async (scene) => {
      const app = await appAt(scene)
      await app.push()
      const { nonce } = app
      return async () => {
        app.nonce = nonce
        const dpop = await app.proof("/oauth/token")
        const grant = { grant_type: "refresh_token", refresh_token: "none" }
        const { body } = await scene.host.ask("/oauth/token", {
          body: new URLSearchParams({ ...grant, client_id: app.clientId }).toString(),
          headers: { "content-type": "application/x-www-form-urlencoded", dpop }
        })
        return body["error"] === "invalid_grant" ? "ok" : body["error"]
      }
    },
    // A client retries with the nonce of the answer.
    after: "use_dpop_nonce"
  },
  "the server's start": {
    purposes: ["fingerprint"],
    make: async (scene) => async () => ((await scene.host.ask("/")).status === 200 ? "ok" : "503"),
    after: "ok"
  },
  "a signature by an account's key": {
    purposes: ["account-key/1"],
    make: async (scene) => async () => {
      await serviceToken(scene.host, scene.bob.did, { aud: "did:web:elsewhere.example" })
      return "ok"
    },
    after: "ok"
  },
  "a reserved signing key": {
    purposes: ["account-key/1"],
    make: async (scene) => {
      const input = { did: `did:plc:mover${scene.name}` }
      const reserve = async () =>
        ok(await scene.host.call("com.atproto.server.reserveSigningKey", { input }))["signingKey"]
      const reserved = await reserve()
      return async () => ((await reserve()) === reserved ? "ok" : "another key")
    },
    after: "ok"
  },
  "an authenticator": {
    purposes: ["totp secrets"],
    make: async (scene) => async () => {
      // The code that turned it on isn't accepted again.
      scene.advance(30_000)
      const code = scene.totp.generate({ timestamp: scene.host.now() })
      return outcomeOf(await createSession(scene.host, scene.bob, scene.bob.password, code))
    },
    after: "ok"
  },
  "a recovery code": {
    purposes: ["recovery codes", "older keys"],
    make: async (scene) => async () => {
      const [code] = scene.recoveryCodes
      return outcomeOf(await createSession(scene.host, scene.bob, scene.bob.password, code))
    },
    after: "ok"
  },
  "an app password": {
    purposes: ["app passwords", "older keys"],
    make: async (scene) => {
      const password = await appPassword(scene.host, scene.alice.did, "phone")
      return async () => outcomeOf(await createSession(scene.host, scene.alice, password))
    },
    after: "ok"
  },
  "an access token that its owner made": {
    purposes: ["own tokens", "older keys"],
    make: async (scene) => {
      const scope = "atproto repo:app.bsky.feed.post"
      const token = await ownToken(scene.host, scene.alice.did, { name: "script", scope })
      return () => write(scene.host, scene.alice, bearer(token))
    },
    after: "ok"
  },
  "a session's access token": {
    purposes: ["session tokens", "older keys"],
    make: async (scene) => {
      const { accessJwt } = ok(await createSession(scene.host, scene.alice, scene.alice.password))
      return () => write(scene.host, scene.alice, bearer(accessJwt))
    },
    after: "ok"
  },
  "a session's refresh token": {
    purposes: ["session tokens", "refresh chain", "older keys"],
    make: async (scene) => {
      const { refreshJwt } = ok(await createSession(scene.host, scene.alice, scene.alice.password))
      const nsid = "com.atproto.server.refreshSession"
      const auth = bearer(refreshJwt)
      return async () => outcomeOf(await scene.host.call(nsid, { method: "POST", auth }))
    },
    after: "ok"
  },
  "an app's access token": {
    purposes: ["oauth access tokens", "older keys"],
    make: async (scene) => {
      const app = await appAt(scene)
      const { access_token: token } = await app.signIn(scene.alice.did)
      return async () => outcomeOf(await app.call("com.atproto.server.getSession", token))
    },
    after: "ok"
  },
  "an app's refresh token": {
    purposes: ["oauth refresh tokens", "older keys"],
    make: async (scene) => {
      const app = await appAt(scene)
      const { refresh_token: token } = await app.signIn(scene.alice.did)
      return async () => outcomeOf(await app.refresh(token))
    },
    after: "ok"
  },
  "an open page's form": {
    purposes: ["tickets"],
    make: async (scene) => {
      const browser = browserAt(scene)
      const form = (await browser.get("/account/sign-in")).form("/sign-in")
      const { handle: identifier, password } = scene.alice
      return async () => seen(await browser.submit(form, { identifier, password }))
    },
    after: "reload"
  },
  "a page that asks for a code after the password": {
    purposes: ["tickets", "password versions"],
    make: async (scene) => {
      const browser = browserAt(scene)
      const form = (await enter(browser, scene.bob)).form("/sign-in/code")
      return async () => {
        const [, code = ""] = scene.recoveryCodes
        return seen(await browser.submit(form, { code }))
      }
    },
    after: "reload"
  },
  "a link that adds a passkey": {
    purposes: ["password versions"],
    make: async (scene) => {
      const { did } = scene.alice
      const { secret } = await ask(scene.host, did, "makePasskeyLink", { by: "owner" })
      return () =>
        ask(scene.host, did, "openPasskeyLink", { secret }).then(
          () => "ok",
          (failure: { readonly _tag: string }) => failure._tag
        )
    },
    after: "PasskeyLinkOver"
  },
  "a mailed code": {
    purposes: ["mailed codes"],
    make: async (scene) => {
      const { auth, did, email } = scene.alice
      const token = await codeFor(scene.host, did, "confirm_email")
      return async () => {
        const input = { email, token }
        return outcomeOf(await scene.host.call("com.atproto.server.confirmEmail", { auth, input }))
      }
    },
    after: "400 InvalidToken"
  },
  "a mailed code for a new password": {
    purposes: ["mailed codes", "reset code owners"],
    make: async (scene) => {
      const token = await codeFor(scene.host, scene.bob.did, "reset_password")
      const input = { token, password: scene.bob.password }
      const nsid = "com.atproto.server.resetPassword"
      return async () => outcomeOf(await scene.host.call(nsid, { input }))
    },
    after: "400 InvalidToken"
  },
  "a code that a server without mail shows": {
    purposes: ["mailed codes shown"],
    make: async (scene) => {
      const { did } = scene.alice
      const { code } = await scene.host.inside(
        did,
        Effect.flatMap(AccountCodes, (codes) => codes.make(did, "update_email", { readable: true }))
      )
      return async () => {
        const shown = (await waitingCodes(scene.host, did)).update_email
        return shown === code ? "ok" : (shown ?? "not shown")
      }
    },
    after: "not shown"
  },
  "the sessions of a move to this server": {
    purposes: ["moves in"],
    make: async (scene) => {
      const { did } = scene.alice
      const using = <A>(use: (moveIn: MoveIn["Service"]) => Effect.Effect<A, unknown>) =>
        scene.host.inside(did, Effect.flatMap(MoveIn, use))
      await using((moveIn) => moveIn.set("the sessions"))
      return async () =>
        (await using((moveIn) => moveIn.get)) === "the sessions" ? "ok" : "sign in there again"
    },
    after: "sign in there again"
  }
}
