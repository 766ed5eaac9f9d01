/**
 * The script of every page.
 *
 * A second click doesn't send a form again while its response is pending, because the browser would
 * drop the first response, and with it a new cookie, a redirect to an app or codes shown once.
 * After a stop, the form can be sent again.
 *
 * Buttons that need a script show themselves: to see a password, to copy a text, to print the page.
 *
 * A page that the browser restores from memory reloads, because its owner may have signed out
 * since.
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
