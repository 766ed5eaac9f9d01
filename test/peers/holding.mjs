// Holds requests on demand: a test can then kill their sender in the middle of a step.
import http from "node:http"

/** Holds the next request whose method and address contain the text of a `hold` message, until a `release`. */
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
  http.Server.prototype.emit = function (event, request, ...rest) {
    if (
      event !== "request" ||
      text === undefined ||
      !`${request.method} ${request.url}`.includes(text)
    ) {
      return emit.call(this, event, request, ...rest)
    }
    text = undefined
    held.push(() => emit.call(this, event, request, ...rest))
    process.send({ held: request.url })
    return true
  }
}
