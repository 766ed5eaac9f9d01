import type { ComAtprotoSyncGetBlob as GetBlob } from "@atproto/api"
import * as Effect from "effect/Effect"
import { getBlob, uploadBlob } from "../../blobs.ts"
import { noteAccount } from "../../requestLog.ts"
import { subjectOf } from "../../route.ts"
import { type Call, credentialsOf, method } from "../../Xrpc.ts"

/**
 * com.atproto.repo.uploadBlob: the bytes pass through the Worker, never through the account's object.
 *
 * The object judges the credentials (`authorizeUpload`) before the first byte is stored.
 */
const upload = method(
  "com.atproto.repo.uploadBlob",
  { authority: { kind: "object", call: "authorizeUpload" }, rawBody: true },
  Effect.fnUntraced(function* ({ request }: Call) {
    const did = yield* subjectOf(request.headers.get("authorization"))
    noteAccount(request, did)
    return yield* uploadBlob(did, request, credentialsOf(request))
  })
)

/** com.atproto.sync.getBlob: located by the object, which sees who may look past an inactive status. */
const download = method(
  "com.atproto.sync.getBlob",
  { authority: { kind: "object", call: "locateBlob" } },
  ({ params, request }: Call<GetBlob.QueryParams>) => {
    noteAccount(request, params.did)
    return getBlob(params.did, params.cid, request, credentialsOf(request))
  }
)

/** The methods whose bytes flow between the client and the blob store. */
export const blobMethods = [upload, download]
