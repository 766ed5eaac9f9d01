import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** The response after a client has disconnected, which nobody receives. */
const unanswered = (): Response => new Response(null, { status: 499 })

/** A request's signal, which the platform creates only for a request that has to wait. */
const signalOf = (request: Request) => ({
  get signal() {
    return request.signal
  }
})

/** Runs a response to a request; a client that disconnects interrupts it. */
export const respondTo = <R>(
  request: Request,
  services: Context.Context<R>,
  response: Effect.Effect<Response, never, R>
): Promise<Response> =>
  Effect.runPromiseExitWith(services)(response, signalOf(request)).then((exit) =>
    Exit.isSuccess(exit) ? exit.value : unanswered()
  )
