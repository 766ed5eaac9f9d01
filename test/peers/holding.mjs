// Holds answers on demand: a test can then kill their receiver in the middle of a step.
import http from "node:http"

/**
 * Holds the end of the next answer to a request whose method and address contain the text of a
 * `hold` message, until a `release`: what was asked for is done, but nobody hears of it.
 */
export const holding = () => {
  const { emit } = http.Server.prototype
  let text
  let held = []
  process.on("message", (message) => {
    if (message.hold !== undefined) text = message.hold
    if (message.release === true) {
      for (const go of held) go()
      held = []
      text = undefined
    }
  })
  http.Server.prototype.emit = function (event, request, response, ...rest) {
    const isHeld =
      event === "request" && text !== undefined && `${request.method} ${request.url}`.includes(text)
    if (isHeld) {
      text = undefined
      const { end } = response
      response.end = (...last) => {
        held.push(() => end.apply(response, last))
        process.send({ held: request.url })
        return response
      }
    }
    return emit.call(this, event, request, response, ...rest)
  }
}
