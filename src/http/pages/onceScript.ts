/**
 * The script of every page: a form that was sent is not sent again by a second click while its answer is on the way.
 *
 * The second would throw the first one's answer away, and with it a new cookie, a way back to an app or codes that are
 * told once. Somebody who has stopped the page, or has come back to it, can send again.
 */
export const onceScript = `(() => {
  let sent = false
  const again = () => { sent = false }
  addEventListener("submit", (event) => {
    if (event.defaultPrevented) return
    if (sent) event.preventDefault()
    else setTimeout(again, 4000)
    sent = true
  })
  addEventListener("pageshow", again)
})()`
