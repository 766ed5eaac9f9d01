import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { accountMethods, hostMethods } from "../../src/http/methods.ts"
import type { Authority } from "../../src/services/sessions/Authority.ts"
import { letIn, withApp } from "../support/http/httpApps.ts"
import { bearer, serviceDid } from "../support/http/httpHost.ts"
import { outcomeOf, session, startWorld, type World } from "../support/http/httpWorld.ts"

const elsewhere = "did:web:elsewhere.example.com"
const generic = "atproto transition:generic"

/** Every kind of credential that getServiceAuth distinguishes. */
const holders = {
  full: "full",
  privileged: "privileged",
  standard: "standard",
  takendown: "takendown",
  generic: { scope: generic },
  chat: { scope: `${generic} transition:chat.bsky` },
  all: { scope: `atproto rpc:*?aud=${encodeURIComponent(`${elsewhere}#service`)}` },
  atproto: { scope: "atproto" }
} as const

type Holder = keyof typeof holders

/** The credentials that get a token for the methods, in the order of `holders`. */
interface Row {
  readonly lxm: ReadonlyArray<string | undefined>
  readonly aud?: string
  readonly signed: ReadonlyArray<Holder>
}

const unprivileged = ["full", "privileged", "standard", "generic", "chat", "all"] as const

const table: ReadonlyArray<Row> = [
  // An AppView, a feed generator, a video service and a labeler accept any app's token.
  {
    lxm: [
      "app.bsky.feed.getTimeline",
      "app.bsky.feed.getFeedSkeleton",
      "app.bsky.video.uploadVideo",
      "com.atproto.moderation.createReport",
      "com.atproto.repo.uploadBlob",
      "tools.ozone.moderation.queryEvents"
    ],
    signed: unprivileged
  },
  {
    lxm: ["chat.bsky.convo.listConvos", "CHAT.bsky.convo.getLog"],
    signed: ["full", "privileged", "chat", "all"]
  },
  // With this token another server takes the account over.
  {
    lxm: ["com.atproto.server.createAccount", "com.atproto.SERVER.createaccount"],
    signed: ["full", "privileged", "takendown"]
  },
  // A token without a method might be accepted for createAccount.
  { lxm: [undefined], signed: ["full", "privileged"] },
  {
    lxm: [
      "com.atproto.server.deleteAccount",
      "com.atproto.server.ofTomorrow",
      "com.atproto.identity.submitPlcOperation",
      "com.atproto.repo.importRepo"
    ],
    signed: ["full"]
  },
  {
    lxm: [
      ...[...hostMethods.keys()].filter((nsid) => nsid.startsWith("com.atproto.admin.")),
      "com.atproto.Admin.UpdateSubjectStatus",
      "com.atproto.admin.ofTomorrow",
      "com.atproto.identity.updateHandle",
      "com.atproto.identity.signPlcOperation",
      "com.atproto.server.createAppPassword",
      "com.atproto.server.getSession"
    ],
    signed: []
  },
  // A server shows everybody's preferences to an account that it trusts as a moderator, possibly
  // this one.
  { lxm: ["app.bsky.actor.getPreferences"], signed: ["full"] },
  { lxm: ["app.bsky.actor.getPreferences"], aud: serviceDid, signed: [] },
  { lxm: ["app.bsky.actor.getPreferences"], aud: `${serviceDid}#atproto_pds`, signed: [] }
]

/** Whether a method accepts service auth here. */
const takesServiceToken = (authority: Authority): boolean => {
  switch (authority.kind) {
    case "service":
    case "signup":
    case "moderator":
      return true
    case "session":
      return authority.service === true || authority.moderator === true
    case "object":
      return authority.call === "authorizeUpload"
    default:
      return false
  }
}

describe("getServiceAuth by method and credential", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const nsid = "com.atproto.server.getServiceAuth"

  const ask = async (name: Holder, { aud = `${elsewhere}#service` }: Row, lxm?: string) => {
    const holder = holders[name]
    const asked = { params: { aud, ...(lxm === undefined ? {} : { lxm }) } }
    if (typeof holder === "object") {
      const app = await letIn(world, world.alice.did, holder.scope)
      return world.call(nsid, await withApp(world, app, nsid, asked))
    }
    const { did } = holder === "takendown" ? world.carol : world.alice
    const auth = bearer((await session(world, did, holder)).accessJwt)
    return world.call(nsid, { ...asked, auth })
  }

  it("getServiceAuth signs what the table allows, and nothing else", async () => {
    for (const row of table) {
      for (const lxm of row.lxm) {
        const signed: Array<string> = []
        for (const name of Object.keys(holders) as ReadonlyArray<Holder>) {
          const answer = await ask(name, row, lxm)
          if (outcomeOf(answer) === "ok") signed.push(name)
          else assert.oneOf(answer.status, [400, 403], `${lxm} by ${name}`)
        }
        assert.deepStrictEqual(signed, [...row.signed], `${lxm} for ${row.aud ?? elsewhere}`)
      }
    }
  })

  it("the table has a row for every method that accepts service auth here", () => {
    const rows = new Set(table.flatMap(({ lxm }) => lxm))
    for (const [name, { authority }] of [...hostMethods, ...accountMethods]) {
      if (takesServiceToken(authority)) assert.isTrue(rows.has(name), name)
    }
  })
})
