import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http"

/** What a test sends to a peer. */
interface Message {
  readonly hold?: string
  readonly release?: boolean
}

type Emit = (this: Server, event: string | symbol, ...rest: ReadonlyArray<unknown>) => boolean

/**
 * Holds the end of the next answer to a request whose method and address contain the text of a
 * `hold` message, until a `release`: what was asked for is done, but nobody hears of it.
 *
 * A test can then kill the receiver in the middle of a step.
 */
export const holding = (): void => {
  // SAFETY: every event is passed on.
  const emit = http.Server.prototype.emit as Emit
  let text: string | undefined
  let held: Array<() => void> = []
  process.on("message", ({ hold, release }: Message) => {
    if (hold !== undefined) text = hold
    if (release === true) {
      for (const go of held) go()
      held = []
      text = undefined
    }
  })
  const holdEnd = ({ method, url = "" }: IncomingMessage, response: ServerResponse): void => {
    if (text === undefined || !`${method} ${url}`.includes(text)) return
    text = undefined
    // SAFETY: any of its forms is passed on.
    const end = response.end.bind(response) as (...last: ReadonlyArray<unknown>) => unknown
    response.end = (...last: ReadonlyArray<unknown>) => {
      held.push(() => end(...last))
      process.send?.({ held: url })
      return response
    }
  }
  const emitOrHold: Emit = function (event, ...rest) {
    // SAFETY: the arguments of this event.
    if (event === "request") holdEnd(...(rest as [IncomingMessage, ServerResponse]))
    return emit.call(this, event, ...rest)
  }
  http.Server.prototype.emit = emitOrHold
}
