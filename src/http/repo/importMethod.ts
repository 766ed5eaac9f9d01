import * as Effect from "effect/Effect"
import { importAuthority } from "../../services/repo/calls.ts"
import { importRepo as importOver } from "./importRepo.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { subjectOf } from "../accounts/accountOf.ts"
import { credentialsOf } from "../sessions/credentials.ts"
import { type Call, method } from "../Xrpc.ts"
import { rules } from "../../services/limits/rules.ts"

/**
 * com.atproto.repo.importRepo: the account's object checks the credentials before the first byte is
 * stored.
 */
export const importRepo = method(
  "com.atproto.repo.importRepo",
  {
    at: "host",
    authority: { kind: "object", call: "authorizeImport", demands: importAuthority },
    limits: [rules.importRepo],
    rawBody: true
  },
  Effect.fnUntraced(function* ({ request }: Call) {
    const did = yield* subjectOf(request)
    yield* noteAccount(did)
    return yield* importOver(did, request, credentialsOf(request))
  })
)
