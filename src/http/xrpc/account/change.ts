import type { ComAtprotoIdentityUpdateHandle as UpdateHandle } from "@atproto/api"
import * as Effect from "effect/Effect"
import { AccountLimits } from "../../../services/AccountLimits.ts"
import { changeHandle } from "../../../services/HandleChange.ts"
import { mailCode } from "../../../services/MailedCodes.ts"
import { type Call, method } from "../../Xrpc.ts"
import { owner } from "./standing.ts"

/** How often an account may change its handle. */
const handleLimits = [
  { limit: 10, windowSeconds: 300 },
  { limit: 50, windowSeconds: 86_400 }
]

const updateHandle = method(
  "com.atproto.identity.updateHandle",
  {
    authority: {
      kind: "session",
      level: "standard",
      oauth: () => [{ resource: "identity", attr: "handle" }]
    }
  },
  Effect.fnUntraced(function* ({
    input
  }: Call<UpdateHandle.QueryParams, UpdateHandle.InputSchema>) {
    yield* (yield* AccountLimits).take("updateHandle", handleLimits)
    yield* changeHandle(input.handle)
  })
)

const requestAccountDelete = method(
  "com.atproto.server.requestAccountDelete",
  { authority: owner },
  () => mailCode("delete_account")
)

/** Another handle, and the first step to the account's end. */
export const changeMethods = [updateHandle, requestAccountDelete]
