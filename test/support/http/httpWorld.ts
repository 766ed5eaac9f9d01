import * as Effect from "effect/Effect"
import type { Level } from "../../../src/core/sessions/sessionToken.ts"
import { AccountEvents } from "../../../src/services/stream/AccountEvents.ts"
import { AccountStore } from "../../../src/services/accounts/AccountStore.ts"
import { AppPasswords } from "../../../src/services/sessions/AppPasswords.ts"
import { Outbox } from "../../../src/services/stream/Outbox.ts"
import { ServiceTokens } from "../../../src/services/sessions/ServiceTokens.ts"
import { Sessions, type Tokens } from "../../../src/services/sessions/Sessions.ts"
import { Signer } from "../../../src/services/identity/Signer.ts"
import { type Answered, basic, bearer, type Host, serviceDid, startHost } from "./httpHost.ts"

/** A person with an account on the host under test. */
export interface Person {
  readonly did: string
  readonly handle: string
  readonly email: string
  readonly password: string
  /** The main password's session, as an `Authorization` header. */
  readonly auth: string
  /** A blob that the person's profile references. */
  readonly avatar: string
  /** The CID of the post `self`. */
  readonly post: string
}

/** A host with people, each with a profile, an avatar and a post. */
export interface World extends Host {
  readonly alice: Person
  readonly bob: Person
  /** Taken down. */
  readonly carol: Person
  /** Deactivated. */
  readonly dora: Person
  /** A number that was never returned before. */
  next(): number
}

/** The JSON of a successful response; throws for others. */
export const ok = ({ status, body, text }: Answered): Answered["body"] => {
  if (status !== 200) throw new Error(`${status} ${text}`)
  return body
}

const pngStart = [
  0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52
]

/** A PNG with distinct last bytes. */
export const png = (content: string): Uint8Array =>
  new Uint8Array([...pngStart, ...new TextEncoder().encode(content)])

/** The name of the error, or "ok". */
export const outcomeOf = ({ status, body }: Answered): string =>
  status < 300 ? "ok" : `${status} ${body["error"]}`

/** A post with the current time. */
export const post = (text = "hello"): object => ({
  $type: "app.bsky.feed.post",
  text,
  createdAt: "2026-01-01T00:00:00.000Z"
})

/** The record key with this number, in the form of a TID. */
export const tidOf = (number: number): string => {
  const letters = "234567abcdefghijklmnopqrstuvwxyz"
  let text = ""
  for (let left = number; text.length < 9; left = Math.floor(left / 32)) {
    text = letters[left % 32]! + text
  }
  return `3kab${text}`
}

/** The key of everybody's first post. */
export const firstRkey = "3kaaaaaaaaa22"

/** Uploads a picture; returns its reference for records. */
export const upload = async (host: Host, auth: string, bytes: Uint8Array): Promise<object> => {
  const answer = await host.call("com.atproto.repo.uploadBlob", {
    body: bytes as Uint8Array<ArrayBuffer>,
    auth,
    headers: { "content-type": "image/png" }
  })
  return ok(answer)["blob"]
}

/** Creates an account as the administrator, with a did:web of the host or a new did:plc. */
export const signUp = async (
  host: Host,
  name: string,
  method: "web" | "plc" = "web"
): Promise<Person> => {
  const wanted = {
    handle: `${name}.test`,
    email: `${name}@mail.example.com`,
    password: `${name}'s own password`
  }
  const input = method === "web" ? { ...wanted, did: `did:web:${name}.test` } : wanted
  const made = ok(await host.call("com.atproto.server.createAccount", { input, auth: basic() }))
  const person = { ...wanted, did: made["did"] as string }
  const auth = bearer(made["accessJwt"])
  const image = await upload(host, auth, png(name))
  const put = (collection: string, rkey: string, record: object) =>
    host.call("com.atproto.repo.putRecord", {
      auth,
      input: { repo: person.did, collection, rkey, record }
    })
  ok(
    await put("app.bsky.actor.profile", "self", {
      $type: "app.bsky.actor.profile",
      displayName: name,
      avatar: image
    })
  )
  const first = ok(await put("app.bsky.feed.post", firstRkey, post(`I am ${name}`)))
  const { $link: avatar } = (image as { readonly ref: { readonly $link: string } }).ref
  return { ...person, auth, avatar, post: first["cid"] }
}

/** Creates a session of any level, without the password. */
export const session = (host: Host, did: string, level: Level): Promise<Tokens> =>
  host.inside(
    did,
    Effect.flatMap(Sessions, (sessions) => sessions.open(did, { level }))
  )

/** A service token of an account on this host, signed with its own key. */
export const serviceToken = (
  host: Host,
  did: string,
  claims: { readonly aud?: string; readonly lxm?: string; readonly exp?: number }
): Promise<string> =>
  host.inside(
    did,
    Effect.gen(function* () {
      const tokens = yield* ServiceTokens
      return yield* tokens.create(yield* Signer, { iss: did, aud: serviceDid, ...claims })
    })
  )

/** Takes an account down or restores it; there is no method for that yet. */
export const takeDown = async (
  host: Host,
  did: string,
  takedown: "takendown" | "suspended" | undefined
): Promise<void> => {
  await Effect.runPromise(host.directory.setStatus(did, takedown ?? "active"))
  await host.inside(
    did,
    Effect.gen(function* () {
      yield* (yield* AccountStore).update({ takedown })
      yield* (yield* AccountEvents).account
    })
  )
}

/** Creates an app password; returns its text. */
export const appPassword = (
  host: Host,
  did: string,
  name: string,
  privileged = false
): Promise<string> =>
  host.inside(
    did,
    Effect.gen(function* () {
      return (yield* (yield* AppPasswords).create(did, { name, privileged })).password
    })
  )

/** Waits until the log has every event of an account. */
export const settled = async (host: Host, did: string): Promise<void> => {
  const deadline = Date.now() + 120_000
  while (
    (await host.inside(
      did,
      Effect.map(Outbox, ({ waiting }) => waiting)
    )) > 0
  ) {
    if (Date.now() > deadline) throw new Error(`the log does not take the events of ${did}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** Starts a host with people. */
export const startWorld = async (env: Readonly<Record<string, string>> = {}): Promise<World> => {
  const host = await startHost(env)
  const alice = await signUp(host, "alice")
  const bob = await signUp(host, "bobby")
  const carol = await signUp(host, "carol")
  const dora = await signUp(host, "dora")
  await takeDown(host, carol.did, "takendown")
  ok(await host.call("com.atproto.server.deactivateAccount", { input: {}, auth: dora.auth }))
  for (const { did } of [alice, bob, carol, dora]) await settled(host, did)
  let count = 0
  return { ...host, alice, bob, carol, dora, next: () => (count += 1) }
}
