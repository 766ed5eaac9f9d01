import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import { nacre } from "../../../scripts/project.ts"
import { CidText, Cursor, Did, Handle, Tid, Words } from "../answers.ts"
import { facts, report, table } from "../output.ts"
import { theServer } from "../place.ts"
import { administrator } from "../administrator.ts"
import { signInAs } from "../session.ts"
import { query, type Remote } from "../xrpc.ts"
import { accountArgument, didOf, meant, ownerFlag } from "./people.ts"

const optional = Schema.optionalKey

const Brief = Schema.Struct({
  did: Did,
  handle: Handle,
  email: optional(Words),
  indexedAt: Words,
  deactivatedAt: optional(Words),
  deleteAfter: optional(Words)
})

const Accounts = Schema.Struct({
  cursor: optional(Cursor),
  accounts: Schema.Array(Brief)
})

/** `nacre account list` */
export const list = Command.make(
  "list",
  {},
  Effect.fnUntraced(function* () {
    const admin = yield* administrator
    const accounts: Array<typeof Brief.Type> = []
    let cursor: string | undefined
    do {
      const page: typeof Accounts.Type = yield* query(
        admin,
        "com.atproto.admin.searchAccounts",
        Accounts,
        { limit: 100, cursor }
      )
      accounts.push(...page.accounts)
      cursor = page.cursor
    } while (cursor !== undefined)
    yield* report({ accounts }, () =>
      table(
        ["HANDLE", "DID", "EMAIL", "CREATED", ""],
        accounts.map((one) => [
          one.handle,
          one.did,
          one.email ?? "",
          one.indexedAt.slice(0, 10),
          one.deactivatedAt === undefined ? "" : "deactivated"
        ]),
        `No accounts yet. Create one: ${nacre} account create`
      )
    )
  })
).pipe(Command.withDescription("List the server's accounts"))

const RepoStatus = Schema.Struct({
  active: Schema.Boolean,
  status: optional(Words),
  rev: optional(Tid)
})

const Applied = Schema.Struct({ applied: Schema.Boolean })

const asAdministrator = Effect.fnUntraced(function* (account: string) {
  const admin = yield* administrator
  const did = yield* didOf(admin.server, account)
  const info = yield* query(admin, "com.atproto.admin.getAccountInfo", Brief, { did })
  const { takedown } = yield* query(
    admin,
    "com.atproto.admin.getSubjectStatus",
    Schema.Struct({ takedown: optional(Applied) }),
    { did }
  )
  const repo = yield* query(admin, "com.atproto.sync.getRepoStatus", RepoStatus, { did })
  return { ...info, ...repo, takendown: takedown?.applied === true }
})

/** The response of checkAccountStatus. */
const Standing = Schema.Struct({
  activated: Schema.Boolean,
  validDid: Schema.Boolean,
  repoCommit: CidText,
  repoRev: Tid,
  repoBlocks: Schema.Int,
  indexedRecords: Schema.Int,
  privateStateValues: Schema.Int,
  expectedBlobs: Schema.Int,
  importedBlobs: Schema.Int
})

/** The status of an account as its owner's session reads it. */
export const standingOf = (session: Remote) =>
  query(session, "com.atproto.server.checkAccountStatus", Standing)

const asOwner = Effect.fnUntraced(function* (account: string) {
  const session = yield* signInAs(yield* theServer, account)
  const view = yield* query(
    session,
    "com.atproto.server.getSession",
    Schema.Struct({
      did: Did,
      handle: Handle,
      email: optional(Words),
      emailConfirmed: optional(Schema.Boolean),
      active: optional(Schema.Boolean),
      status: optional(Words)
    })
  )
  return { ...view, ...(yield* standingOf(session)) }
})

const yesNo = (value: boolean): string => (value ? "yes" : "no")

/** `nacre account show` */
export const show = Command.make(
  "show",
  { account: accountArgument, owner: ownerFlag },
  Effect.fnUntraced(function* ({ account, owner }) {
    const name = yield* meant(account)
    if (owner) {
      return yield* report(yield* asOwner(name), (all) =>
        facts([
          ["Handle", all.handle],
          ["DID", all.did],
          ["Email", all.email],
          ["Active", all.activated ? "yes" : `no (${all.status ?? "inactive"})`],
          ["DID points here", yesNo(all.validDid)],
          ["Rev", all.repoRev],
          ["Records", String(all.indexedRecords)],
          ["Blobs", `${all.importedBlobs} of ${all.expectedBlobs}`]
        ])
      )
    }
    yield* report(yield* asAdministrator(name), (all) =>
      facts([
        ["Handle", all.handle],
        ["DID", all.did],
        ["Email", all.email],
        ["Created", all.indexedAt.slice(0, 10)],
        ["Active", all.active ? "yes" : `no (${all.status ?? "inactive"})`],
        ["Deactivated", all.deactivatedAt],
        ["Delete after", all.deleteAfter],
        ["Taken down", yesNo(all.takendown)],
        ["Rev", all.rev]
      ])
    )
  }, Effect.scoped)
).pipe(Command.withDescription("Show an account's handle, DID and status"))
