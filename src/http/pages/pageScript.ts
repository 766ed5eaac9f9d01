/**
 * The script of every page.
 *
 * A form that was sent is not sent again by a second click while its answer is on the way: the second would throw
 * the first one's answer away, and with it a new cookie, a way back to an app or codes that are told once. Somebody
 * who has stopped the page can send again.
 *
 * Buttons that need a script show themselves: to see a password, to copy a text, to print the page.
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
    document.querySelectorAll("[data-reveal]").forEach(hide)
  })
  const hide = (button) => {
    button.previousElementSibling.type = "password"
    button.setAttribute("aria-pressed", "false")
  }
  const each = (name, run) => document.querySelectorAll("[data-" + name + "]").forEach((button) => {
    button.hidden = false
    button.addEventListener("click", () => run(button))
  })
  each("reveal", (button) => {
    const input = button.previousElementSibling
    if (input.type === "text") return hide(button)
    input.type = "text"
    button.setAttribute("aria-pressed", "true")
  })
  if (navigator.clipboard) each("copy", (button) => {
    navigator.clipboard.writeText(button.previousElementSibling.textContent.trim()).then(() => {
      button.textContent = button.dataset.done
    }, () => {})
  })
  each("print", () => print())
  addEventListener("pageshow", (event) => {
    sent = false
    if (event.persisted) location.reload()
  })
})()`
