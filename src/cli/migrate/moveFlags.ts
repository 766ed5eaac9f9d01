import type * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import { stepNames } from "./move.ts"

/** What every command that moves an account understands. */
export const moveFlags = {
  handle: Flag.String("handle").pipe(
    Flag.withDescription(
      "The handle at the new server; else your own domain, or the same name under the server's domain"
    ),
    Flag.optional
  ),
  email: Flag.String("email").pipe(
    Flag.withDescription("The e-mail address at the new server; else the same as before"),
    Flag.optional
  ),
  invite: Flag.String("invite").pipe(
    Flag.withDescription("An invite code of the new server"),
    Flag.optional
  ),
  recoveryKey: Flag.String("recovery-key").pipe(
    Flag.withMetavar("file or did:key"),
    Flag.withDescription(
      "Your recovery key, which is put before all others; a new one is made into a file that is not there"
    ),
    Flag.optional
  ),
  keepKey: Flag.String("keep-key").pipe(
    Flag.withMetavar("did:key"),
    Flag.withDescription(
      "A rotation key of the DID that is yours, where it would be taken for the old server's; may be repeated"
    ),
    Flag.atLeast(0)
  ),
  dropKey: Flag.String("drop-key").pipe(
    Flag.withMetavar("did:key"),
    Flag.withDescription(
      "A rotation key of the DID that is not to stay; may be repeated. All but the old server's stay otherwise"
    ),
    Flag.atLeast(0)
  ),
  allowMissing: Flag.Boolean("allow-missing-blobs").pipe(
    Flag.withDescription("Move even if the old server has lost blobs"),
    Flag.withDefault(false)
  ),
  until: Flag.Literals("until", stepNames).pipe(
    Flag.withDescription("End after this step; the same command without it goes on"),
    Flag.optional
  ),
  state: Flag.String("state").pipe(
    Flag.withMetavar("file"),
    Flag.withDescription(
      "Where to remember between two runs which servers these are; no secret is in it"
    ),
    Flag.optional
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Tell what would be done, and change nothing"),
    Flag.withDefault(false)
  )
} as const

/** What somebody has said of a move. */
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
