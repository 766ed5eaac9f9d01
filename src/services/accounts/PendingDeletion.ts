import * as Context from "effect/Context"

/** A deletion that is held back; `wasActive`: undoing it reactivates the account. */
export interface HeldDeletion {
  readonly wasActive: boolean
}

/** The deletion that this object's owner or an operator asked for, until it is due. */
export class PendingDeletion extends Context.Service<
  PendingDeletion,
  {
    get(): HeldDeletion | undefined
    set(held: HeldDeletion | undefined): void
  }
>()("nacre/services/PendingDeletion") {}
