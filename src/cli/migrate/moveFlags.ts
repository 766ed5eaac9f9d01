import type * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import { stepNames } from "./move.ts"

/** The flags of every command that moves an account. */
export const moveFlags = {
  handle: Flag.String("handle").pipe(
    Flag.withDescription(
      "Handle on the new server; default: your own domain, or the same name on the new server"
    ),
    Flag.optional
  ),
  email: Flag.String("email").pipe(
    Flag.withDescription("Email address on the new server; default: the same as before"),
    Flag.optional
  ),
  invite: Flag.String("invite").pipe(
    Flag.withDescription("Invite code of the new server"),
    Flag.optional
  ),
  recoveryKey: Flag.String("recovery-key").pipe(
    Flag.withMetavar("file or did:key"),
    Flag.withDescription(
      "Your recovery key, which becomes the first key of your identity. If the file doesn't exist, a new key is created in it"
    ),
    Flag.optional
  ),
  keepKey: Flag.String("keep-key").pipe(
    Flag.withMetavar("did:key"),
    Flag.withDescription("Keep this rotation key: it's yours, not the old server's. Repeatable"),
    Flag.atLeast(0)
  ),
  dropKey: Flag.String("drop-key").pipe(
    Flag.withMetavar("did:key"),
    Flag.withDescription(
      "Remove this rotation key. By default only the old server's keys are removed. Repeatable"
    ),
    Flag.atLeast(0)
  ),
  allowMissing: Flag.Boolean("allow-missing-blobs").pipe(
    Flag.withDescription("Move even if blobs are missing on the old server"),
    Flag.withDefault(false)
  ),
  until: Flag.Literals("until", stepNames).pipe(
    Flag.withDescription("Stop after this step. Run the command without it to continue"),
    Flag.optional
  ),
  state: Flag.String("state").pipe(
    Flag.withMetavar("file"),
    Flag.withDescription("File that remembers the move between runs; contains no secrets"),
    Flag.optional
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Show the plan and change nothing"),
    Flag.withDefault(false)
  )
} as const

/** The options of a move. */
export interface MoveWishes {
  readonly handle: OptionalText
  readonly email: OptionalText
  readonly invite: OptionalText
  readonly recoveryKey: OptionalText
  readonly keepKey: ReadonlyArray<string>
  readonly dropKey: ReadonlyArray<string>
  readonly allowMissing: boolean
  readonly until: OptionalText
  readonly state: OptionalText
  readonly dryRun: boolean
}

type OptionalText = Option.Option<string>
