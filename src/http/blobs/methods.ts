import type { ComAtprotoSyncGetBlob as GetBlob } from "@atproto/api"
import * as Effect from "effect/Effect"
import { RepoNotFound } from "../../services/accounts/AccountStore.ts"
import { downloadAuthority, uploadAuthority } from "../../services/blobs/calls.ts"
import { getBlob, uploadBlob } from "./upload.ts"
import { isHere } from "../accounts/presence.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { subjectOf } from "../accounts/accountOf.ts"
import { credentialsOf } from "../sessions/credentials.ts"
import { type Call, method } from "../Xrpc.ts"
import { rules } from "../../services/limits/rules.ts"

/**
 * com.atproto.repo.uploadBlob: the bytes pass through the Worker, never through the account's
 * object.
 *
 * The object checks the credentials (`authorizeUpload`) before the first byte is stored.
 */
const upload = method(
  "com.atproto.repo.uploadBlob",
  {
    at: "host",
    authority: { kind: "object", call: "authorizeUpload", demands: uploadAuthority([]) },
    limits: [rules.uploadBlob],
    rawBody: true
  },
  Effect.fnUntraced(function* ({ request }: Call) {
    const did = yield* subjectOf(request)
    yield* noteAccount(did)
    return yield* uploadBlob(did, request, credentialsOf(request))
  })
)

/**
 * com.atproto.sync.getBlob: the object locates the blob and decides who may read an inactive
 * account.
 */
const download = method(
  "com.atproto.sync.getBlob",
  { at: "host", authority: { kind: "object", call: "locateBlob", demands: downloadAuthority } },
  Effect.fnUntraced(function* ({ params, request }: Call<GetBlob.QueryParams>) {
    const { did, cid } = params
    if (!(yield* isHere(request, did))) return yield* new RepoNotFound({ did })
    yield* noteAccount(did)
    return yield* getBlob(did, cid, request, credentialsOf(request))
  })
)

/** Methods that stream bytes between the client and the blob store. */
export const blobMethods = [upload, download]
