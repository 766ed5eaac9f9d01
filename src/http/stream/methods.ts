import type {
  ComAtprotoSyncListRepos as ListRepos,
  ComAtprotoSyncListReposByCollection as ListReposByCollection
} from "@atproto/api"
import * as Effect from "effect/Effect"
import { Sequencer } from "../../services/stream/Sequencer.ts"
import { reopened } from "../responses.ts"
import { type Call, method } from "../Xrpc.ts"

/** com.atproto.sync.subscribeRepos: the upgrade goes to the Sequencer as it is; a refusal comes from another object. */
const subscribeRepos = method(
  "com.atproto.sync.subscribeRepos",
  // Left unread: a request whose body has been read cannot be handed on.
  { at: "host", authority: { kind: "none" }, rawBody: true },
  Effect.fnUntraced(function* ({ request }: Call) {
    return reopened(yield* (yield* Sequencer).subscribe(request))
  })
)

/** com.atproto.sync.listRepos */
const listRepos = method(
  "com.atproto.sync.listRepos",
  { at: "host", authority: { kind: "none" } },
  ({ params }: Call<ListRepos.QueryParams & { limit: number }>) =>
    Effect.flatMap(Sequencer, (sequencer) => sequencer.listRepos(params))
)

/** com.atproto.sync.listReposByCollection */
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

/** The methods that the event log answers. */
export const streamMethods = [subscribeRepos, listRepos, listReposByCollection]
