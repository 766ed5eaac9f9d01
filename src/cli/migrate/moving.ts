import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { didMethod } from "../../identity/did.ts"
import { plcDataOf } from "../identity/lookup.ts"
import { facts, note, report } from "../output.ts"
import { recoveryDidKey } from "../recoveryKey.ts"
import { type Session, signInAs } from "../session.ts"
import { query } from "../xrpc.ts"
import { arrive, handleAt, tokenFor } from "./arrive.ts"
import { credentialsAt } from "./identity.ts"
import { takeMove } from "./move.ts"
import type { MoveWishes } from "./moveFlags.ts"
import { accountStatusAt, documentOf, hostOf, standingAt } from "./network.ts"
import { notesFile, removeNotes, writeNotes } from "./notes.ts"
import { tellMoved } from "./report.ts"
import { pdsOf } from "../../identity/didDocument.ts"

/** Somebody's account, and the servers that it moves between. */
export interface Route {
  readonly did: string
  readonly from: string
  readonly to: string
  /** Whether the old server recommends its accounts' own recovery keys before its own key, as this project's does. */
  readonly fromNacre: boolean
}

const Mine = Schema.Struct({ email: Schema.optionalKey(Schema.String) })

/** The owner's keys among those of the DID, and those of the server that is left. */
const keysOf = Effect.fnUntraced(function* ({ did, fromNacre }: Route, from: Session) {
  if (didMethod(did) !== "plc") return { own: [], theirs: [] }
  const { rotationKeys: hosts = [] } = yield* credentialsAt(from)
  const theirs = fromNacre ? hosts.slice(-1) : hosts
  const { rotationKeys } = yield* plcDataOf(did)
  return { own: rotationKeys.filter((key) => !theirs.includes(key)), theirs }
})

/** Tells what a move would do, and does nothing. */
const plan = Effect.fnUntraced(function* (route: Route, from: Session, handle: string) {
  const { did, to } = route
  const host = yield* hostOf(to)
  const standing = yield* standingAt({ server: to }, did)
  const status = yield* accountStatusAt(from)
  const { own, theirs } = yield* keysOf(route, from)
  const answer = {
    dryRun: true,
    did,
    from: from.server,
    to,
    handle,
    records: status.indexedRecords,
    blobs: status.importedBlobs,
    isThere: standing !== undefined,
    inviteNeeded: standing === undefined && host.inviteCodeRequired === true,
    keysThatStay: own,
    keysThatGo: theirs,
    leadsTo: pdsOf(yield* documentOf(did))
  }
  yield* report(answer, (all) =>
    facts([
      ["Account", `${from.handle} (${did})`],
      ["From", all.from],
      ["To", all.to],
      ["Handle there", handle],
      ["Records", String(all.records)],
      ["Blobs", String(all.blobs)],
      ["Is there already", all.isThere ? "yes" : "no"],
      ["Invite needed", all.inviteNeeded ? "yes: --invite" : "no"],
      ["Keys that stay", own.join("\n") || "none: name or make one with --recovery-key"],
      ["DID leads to", all.leadsTo]
    ])
  )
  yield* note("Nothing was done.")
})

/** Moves an account, or goes on where an earlier run has ended. */
export const moveAccount = Effect.fn("cli.moveAccount")(function* (
  route: Route,
  wishes: MoveWishes
) {
  const { did, to } = route
  const from = yield* signInAs(route.from, did)
  const { availableUserDomains: oldDomains } = yield* hostOf(route.from)
  const handle = yield* handleAt(to, { handle: from.handle, oldDomains }, wishes.handle)
  if (wishes.dryRun) return yield* plan(route, from, handle)
  const mine = yield* query(from, "com.atproto.server.getSession", Mine)
  const file = notesFile(did, wishes.state)
  yield* writeNotes(file, { did, from: route.from, to, handle })
  const session = yield* arrive(to, {
    did,
    handle,
    email: Option.getOrElse(wishes.email, () => mine.email),
    invite: wishes.invite,
    token: tokenFor(from, to)
  })
  const { own } = yield* keysOf(route, from)
  const { allowMissing } = wishes
  const recovery = Option.isNone(wishes.recoveryKey)
    ? []
    : [(yield* recoveryDidKey(wishes.recoveryKey.value)).didKey]
  const ownKeys = [...new Set([...recovery, ...own])]
  const until = Option.getOrUndefined(wishes.until)
  const move = { did, from, to: session, ownKeys, allowMissing, notes: file }
  const steps = yield* takeMove(move, until)
  if (until === undefined) yield* removeNotes(file)
  yield* tellMoved({ did, from: from.server, to: session }, steps)
}, Effect.scoped)
