import type {
  ComAtprotoServerCreateInviteCode as CreateInviteCode,
  ComAtprotoServerCreateInviteCodes as CreateInviteCodes
} from "@atproto/api"
import * as Effect from "effect/Effect"
import { Config } from "../../services/host/Config.ts"
import { Directory } from "../../services/accounts/Directory.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { type Call, method } from "../Xrpc.ts"

/** The most codes that one call makes. */
const maxCodes = 500

const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

/** Ten random letters of base32: `xxxxx-xxxxx`. */
const randomToken = (): string => {
  const letters = Array.from(
    crypto.getRandomValues(new Uint8Array(10)),
    (byte) => alphabet[byte & 31]
  ).join("")
  return `${letters.slice(0, 5)}-${letters.slice(5)}`
}

/** Makes codes for accounts: the host's name, so that a code tells where it belongs, and a random token. */
const makeCodes = Effect.fnUntraced(function* (
  forAccounts: ReadonlyArray<string>,
  count: number,
  available: number
) {
  if (forAccounts.length * count > maxCodes || count < 1 || available < 1) {
    return yield* new InvalidRequest({
      message: `Between 1 and ${maxCodes} codes of at least one use can be made at once`
    })
  }
  const { publicUrl } = yield* Config
  const host = new URL(publicUrl).hostname.replaceAll(".", "-")
  const made = yield* Effect.sync(() =>
    forAccounts.map((account) => ({
      account,
      codes: Array.from({ length: count }, () => `${host}-${randomToken()}`)
    }))
  )
  const directory = yield* Directory
  const codes = made.flatMap(({ account, codes }) =>
    codes.map((code) => ({ code, forAccount: account }))
  )
  yield* directory.createInvites({ codes, available, createdBy: "admin" })
  return made
})

const createInviteCode = method(
  "com.atproto.server.createInviteCode",
  { authority: { kind: "admin" } },
  Effect.fnUntraced(function* ({ input }: Call<object, CreateInviteCode.InputSchema>) {
    const { useCount, forAccount = "admin" } = input
    const [made] = yield* makeCodes([forAccount], 1, useCount)
    return { code: made?.codes[0] ?? "" }
  })
)

const createInviteCodes = method(
  "com.atproto.server.createInviteCodes",
  { authority: { kind: "admin" } },
  Effect.fnUntraced(function* ({ input }: Call<object, CreateInviteCodes.InputSchema>) {
    const { codeCount, useCount, forAccounts = ["admin"] } = input
    return { codes: yield* makeCodes(forAccounts, codeCount, useCount) }
  })
)

/** Invite codes, made by the administrator. */
export const inviteMethods = [createInviteCode, createInviteCodes]
