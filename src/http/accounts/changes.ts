import type { ComAtprotoIdentityUpdateHandle as UpdateHandle } from "@atproto/api"
import { changeOwnHandle } from "../../services/identity/HandleChange.ts"
import { mailCode } from "../../services/mail/MailedCodes.ts"
import { type Call, method } from "../Xrpc.ts"
import { owner } from "./readableAccount.ts"

const updateHandle = method(
  "com.atproto.identity.updateHandle",
  {
    // The reference lets app passwords do it, too.
    authority: { ...owner, oauth: () => [{ resource: "identity", attr: "handle" }] },
    typedNames: ["handle"]
  },
  ({ input }: Call<UpdateHandle.QueryParams, UpdateHandle.InputSchema>) =>
    changeOwnHandle(input.handle)
)

const requestAccountDelete = method(
  "com.atproto.server.requestAccountDelete",
  { authority: owner },
  () => mailCode("delete_account")
)

/** Another handle, and the first step to the account's end. */
export const changeMethods = [updateHandle, requestAccountDelete]
