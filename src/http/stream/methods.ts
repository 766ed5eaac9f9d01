import type {
  ComAtprotoSyncListRepos as ListRepos,
  ComAtprotoSyncListReposByCollection as ListReposByCollection
} from "@atproto/api"
import * as Effect from "effect/Effect"
import { Sequencer } from "../../services/stream/Sequencer.ts"
import { reopened } from "../responses.ts"
import { type Call, method } from "../Xrpc.ts"

/**
 * com.atproto.sync.subscribeRepos: passes the upgrade to the Sequencer; an error comes from another
 * object.
 */
const subscribeRepos = method(
  "com.atproto.sync.subscribeRepos",
  // Left unread: a request whose body has been read cannot be forwarded.
  { at: "host", authority: { kind: "none" }, rawBody: true },
  Effect.fnUntraced(function* ({ request }: Call) {
    return reopened(yield* (yield* Sequencer).subscribe(request))
  })
)

const listRepos = method(
  "com.atproto.sync.listRepos",
  { at: "host", authority: { kind: "none" } },
  ({ params }: Call<ListRepos.QueryParams & { limit: number }>) =>
    Effect.flatMap(Sequencer, (sequencer) => sequencer.listRepos(params))
)

const listReposByCollection = method(
  "com.atproto.sync.listReposByCollection",
  { at: "host", authority: { kind: "none" } },
  Effect.fnUntraced(function* ({
    params
  }: Call<ListReposByCollection.QueryParams & { limit: number }>) {
    const { dids, cursor } = yield* (yield* Sequencer).listReposByCollection(params)
    return { ...(cursor === undefined ? {} : { cursor }), repos: dids.map((did) => ({ did })) }
  })
)

/** The methods that the event log serves. */
export const streamMethods = [subscribeRepos, listRepos, listReposByCollection]
