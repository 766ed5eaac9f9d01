/**
 * The script of every page.
 *
 * A form that was sent is not sent again by a second click while its answer is on the way: the second would throw
 * the first one's answer away, and with it a new cookie, a way back to an app or codes that are told once. Somebody
 * who has stopped the page can send again.
 *
 * A page that the browser has kept whole, as some do whatever its headers say, is asked for anew when somebody comes
 * back to it: its owner may have signed out since.
 */
export const pageScript = `(() => {
  let sent = false
  addEventListener("submit", (event) => {
    if (event.defaultPrevented) return
    if (sent) event.preventDefault()
    else setTimeout(() => { sent = false }, 4000)
    sent = true
  })
  addEventListener("pageshow", (event) => {
    sent = false
    if (event.persisted) location.reload()
  })
})()`
