import * as Effect from "effect/Effect"
import { TOTP } from "otpauth"
import { randomUUID } from "node:crypto"
import type {
  CallInput,
  CallName,
  CallOutput
} from "../../../src/services/accounts/AccountCalls.ts"
import { AccountStore } from "../../../src/services/accounts/AccountStore.ts"
import { Accounts } from "../../../src/services/accounts/Accounts.ts"
import { Devices } from "../../../src/services/oauth/Devices.ts"
import { PasskeyOwners } from "../../../src/services/factors/PasskeyOwners.ts"
import { SqlStorage } from "../../../src/services/host/SqlStorage.ts"
import { newAuthenticator } from "../../factors/authenticator.ts"
import { formatDidKey, publicKeyOf } from "../../../src/core/identity/didKey.ts"
import { PlcDirectory } from "../../../src/services/identity/PlcDirectory.ts"
import { codeFor } from "./httpCodes.ts"
import { Browser, type Shown, unescape } from "./httpBrowser.ts"
import { type Host, origin } from "./httpHost.ts"
import { firstRkey, type Person, png, session, signUp, upload } from "./httpWorld.ts"

/** The origin and domain of the passkeys for the host under test. */
export const here = { origin, rpId: "localhost" }

/** The header of a navigation from one of the server's own pages. */
export const ours = { "sec-fetch-site": "same-origin" }

/** Calls an account's object directly, without HTTP. */
export const ask = <K extends CallName>(
  host: Host,
  did: string,
  method: K,
  ...input: CallInput<K>
): Promise<CallOutput<K>> =>
  host.beneath(Effect.flatMap(Accounts, (accounts) => accounts.call(did, method, ...input)))

/** Signs in on the account's pages; returns the page after it. */
export const enter = async (
  browser: Browser,
  { handle, password }: Pick<Person, "handle" | "password">,
  to = "",
  filled: Readonly<Record<string, string | undefined>> = {}
): Promise<Shown> => {
  const page = await browser.get(`/account/sign-in?to=${to}`)
  return browser.submit(page.form("/sign-in"), { identifier: handle, password, ...filled })
}

/** A browser with a recent sign-in. */
export const browserOf = async (
  host: Host,
  who: Pick<Person, "handle" | "password">,
  address?: string
): Promise<Browser> => {
  const browser = new Browser(host, address)
  await enter(browser, who)
  return browser
}

/** The form on an account's page, which contains a given text if several have the same action. */
export const formOn = async (browser: Browser, page: string, action: string) =>
  (await browser.get(`/account/${page}`, ours)).form(`/account/${action}`)

/** The challenge that the page wants signed. */
export const challengeOf = ({ text }: Shown): string => {
  const options = /data-options="([^"]*)"/.exec(text)?.[1] ?? ""
  return JSON.parse(unescape(options)).challenge
}

/** Creates an app's session; returns its id. */
export const connect = async (
  host: Host,
  did: string,
  change: Partial<CallInput<"openOAuth">[0]> = {}
): Promise<string> => {
  const id = `app-${randomUUID()}`
  await ask(host, did, "openOAuth", {
    id,
    clientId: "https://app.example.com/client.json",
    clientAuth: { method: "none" },
    jkt: "a thumbprint",
    scope: "atproto repo:app.bsky.feed.post",
    granted: "atproto repo:app.bsky.feed.post",
    device: "a device",
    refreshable: true,
    agreedAt: host.now(),
    ...change
  })
  return id
}

/** Turns an authenticator on, without the pages. */
export const withAuthenticator = async (host: Host, did: string) => {
  const { secret } = await ask(host, did, "beginAuthenticator")
  const totp = new TOTP({ secret })
  const code = totp.generate({ timestamp: host.now() })
  const { recoveryCodes } = await ask(host, did, "confirmAuthenticator", { code })
  return { totp, recoveryCodes }
}

/** Gives an account a passkey, without the pages. */
export const withPasskey = async (host: Host, did: string, name = "Key") => {
  const authenticator = newAuthenticator("ES256", randomUUID())
  const challenge = Buffer.alloc(32, 3).toString("base64url")
  const response = authenticator.create(challenge, here)
  await ask(host, did, "addPasskey", { challenge, ...here, name, response })
  await host.beneath(Effect.flatMap(PasskeyOwners, (owners) => owners.add(authenticator.id, did)))
  return authenticator
}

/** A person with one of everything that can be ended or changed. */
export interface Armed extends Person {
  /**
   * The fields of each form on the account's pages besides token and account, by the rest of its
   * path.
   */
  readonly fields: (action: string, page: Shown) => Promise<Readonly<Record<string, string>>>
}

/** Turns mailed codes at sign-in on, without the pages. */
export const setEmailFactor = (host: Host, did: string, since: number) => {
  const emailFactorAt = new Date(since).toISOString()
  return host.inside(
    did,
    Effect.flatMap(AccountStore, (accounts) => accounts.update({ emailFactorAt }))
  )
}

/** Two did:keys that owners hold. */
const ownerKeys = [
  formatDidKey(publicKeyOf("p256", Buffer.from("17".repeat(32), "hex"))),
  formatDidKey(publicKeyOf("p256", Buffer.from("18".repeat(32), "hex")))
] as const

let count = 0

/** Creates a person with one of everything, who is also signed in on another device. */
export const arm = async (host: Host): Promise<Armed> => {
  const person = await signUp(host, `armed${(count += 1)}`, "plc")
  const { did } = person
  const keyCode = await codeFor(host, did, "plc_operation")
  await ask(host, did, "changeOwnerKeys", { first: ownerKeys[0], code: keyCode })
  const passkey = await withPasskey(host, did)
  const other = await browserOf(host, person)
  const [device = ""] = other.cookies.values()
  const { recoveryCodes } = await withAuthenticator(host, did)
  const { passwordVersion } = await ask(host, did, "owner")
  await ask(host, did, "proveCode", { code: recoveryCodes[0]!, passwordVersion })
  await ask(host, did, "createAppPassword", { name: "Old phone", privileged: false })
  await ask(host, did, "createOwnToken", { name: "Old script", scope: "atproto", days: 1 })
  await session(host, did, "full")
  const app = await connect(host, did)
  const unused = await upload(host, person.auth, png(`unused by ${did}`))
  // SAFETY: the reference of a blob.
  const { $link: unusedCid } = (unused as { readonly ref: { readonly $link: string } }).ref
  const { sessions } = await ask(host, did, "security")
  await host.inside(
    did,
    Effect.flatMap(AccountStore, (accounts) =>
      accounts.update({ emailConfirmedAt: "2026-01-01T00:00:00.000Z" })
    )
  )
  const code = {
    confirm: await codeFor(host, did, "confirm_email"),
    change: await codeFor(host, did, "update_email"),
    delete: await codeFor(host, did, "delete_account"),
    keys: await codeFor(host, did, "plc_operation")
  }
  // Started again: one must be open to confirm it.
  const { secret } = await ask(host, did, "beginAuthenticator")
  const given: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    "devices/sign-out": { device: device.split(".")[1]! },
    "apps/disconnect": { session: app },
    "apps/end-session": { session: sessions[0]!.id },
    "apps/revoke-password": { name: "Old phone" },
    "app-password": { name: "New phone", access: "privileged" },
    "access-token": { name: "New script", access: "read", days: "30" },
    "apps/revoke-token": { name: "Old script" },
    password: { password: "a new password", again: "a new password" },
    "passkeys/rename": { passkey: passkey.id, name: "Renamed" },
    "passkeys/remove": { passkey: passkey.id },
    email: { email: `new-${person.email}`, code: code.change },
    "email/confirm": { code: code.confirm },
    "email-factor/off": { code: code.change },
    handle: { name: `re${person.handle.split(".")[0]}`, domain: "test" },
    "recovery-key": { key: ownerKeys[1], replaces: ownerKeys[0], code: code.keys },
    "move/token": { server: "pds.example.org" },
    "remove-key": { key: ownerKeys[0], code: code.keys },
    "data/delete": { collection: "app.bsky.feed.post", r0: firstRkey, confirmed: "yes" },
    "data/discard": { f0: unusedCid, confirmed: "yes" },
    deactivate: { date: "" },
    delete: { handle: person.handle, code: code.delete }
  }
  const fields: Armed["fields"] = async (action, page) => {
    if (action === "authenticator/confirm") {
      return { secret, code: new TOTP({ secret }).generate({ timestamp: host.now() }) }
    }
    if (action === "email-factor/off") await setEmailFactor(host, did, host.now())
    if (action !== "passkeys/add") return given[action] ?? {}
    const made = newAuthenticator("ES256", randomUUID()).create(challengeOf(page), here)
    const { challenge = "" } = page.form("/passkeys/add").fields
    return { name: "Another", challenge, credential: JSON.stringify(made) }
  }
  return { ...person, fields }
}

const tables = [
  "authenticator",
  "recovery_code",
  "passkey",
  "passkey_link",
  "app_password",
  "own_token",
  "session",
  "oauth_session",
  "oauth_consent",
  "mailed_code",
  "record",
  "blob",
  "account_history"
]

/** An account's credentials, handle and status as one text. */
export const ways = async (host: Host, did: string): Promise<string> => {
  if ((await Effect.runPromise(host.directory.byDid(did))) === undefined) return "gone"
  const rows = await host.inside(
    did,
    Effect.gen(function* () {
      const sql = yield* SqlStorage
      const account = yield* (yield* AccountStore).get
      const { password, handle, email, deactivatedAt, deleteAfter } = account
      return [
        password,
        handle,
        email,
        account.emailConfirmedAt,
        account.emailFactorAt,
        deactivatedAt,
        deleteAfter,
        ...tables.map((table) => [...sql.exec(`SELECT * FROM ${table}`)])
      ]
    })
  )
  const devices = await host.beneath(Effect.flatMap(Devices, (all) => all.ofAccount(did)))
  const passkeys = await ask(host, did, "security")
  const owners = await host.beneath(
    Effect.gen(function* () {
      const own = yield* PasskeyOwners
      return yield* Effect.forEach(passkeys.passkeyList, ({ id }) => own.ownerOf(id))
    })
  )
  const keys = await host.beneath(
    Effect.match(
      Effect.flatMap(PlcDirectory, (plc) => plc.data(did)),
      { onSuccess: ({ rotationKeys }) => rotationKeys, onFailure: () => [] }
    )
  )
  const places = devices.map(({ id, authenticatedAt }) => `${id} ${authenticatedAt}`)
  return JSON.stringify([rows, places, owners, keys], (_, value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value
  )
}
