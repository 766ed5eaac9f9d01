/**
 * Draws a QR code of up to 106 bytes: version 5, level L, mask 0; returns its rows of booleans.
 *
 * The private key must not leave the browser, so the server can't draw it.
 */
export const qrScript = `const qr = (text) => {
  const size = 37, data = 108, check = 26
  const rows = Array.from({ length: size }, () => Array(size))
  const set = (x, y, dark) => { if (x >= 0 && y >= 0 && x < size && y < size) rows[y][x] = dark }
  const square = (cx, cy, reach, light) => {
    for (let y = -reach; y <= reach; y++) for (let x = -reach; x <= reach; x++)
      set(cx + x, cy + y, !light.includes(Math.max(Math.abs(x), Math.abs(y))))
  }
  for (let at = 8; at < size - 8; at++) { set(at, 6, at % 2 === 0); set(6, at, at % 2 === 0) }
  square(3, 3, 4, [2, 4]); square(size - 4, 3, 4, [2, 4]); square(3, size - 4, 4, [2, 4]); square(30, 30, 2, [1])
  for (let at = 0; at < 15; at++) {
    const dark = (0b111011111000100 >> at & 1) === 1
    if (at < 8) { set(8, at < 6 ? at : at + 1, dark); set(size - 1 - at, 8, dark) }
    else { set(at === 8 ? 7 : 14 - at, 8, dark); set(8, size - 15 + at, dark) }
  }
  set(8, size - 8, true)
  const bytes = new TextEncoder().encode(text)
  const nibbles = [4, bytes.length >> 4, bytes.length & 15, ...[...bytes].flatMap((byte) => [byte >> 4, byte & 15]), 0]
  const words = []
  for (let at = 0; at < nibbles.length; at += 2) words.push(nibbles[at] << 4 | nibbles[at + 1])
  for (let pad = 0xec; words.length < data; pad ^= 0xfd) words.push(pad)
  const times = (a, b) => {
    let product = 0
    for (let bit = 7; bit >= 0; bit--) product = product << 1 ^ (product >> 7) * 0x11d ^ (b >> bit & 1) * a
    return product
  }
  let divisor = [1]
  for (let step = 0, root = 1; step < check; step++, root = times(root, 2))
    divisor = [...divisor, 0].map((one, at) => one ^ (at > 0 ? times(divisor[at - 1], root) : 0))
  let rest = Array(check).fill(0)
  for (const word of words) {
    const factor = word ^ rest[0]
    rest = [...rest.slice(1), 0].map((one, at) => one ^ times(divisor[at + 1], factor))
  }
  const all = [...words, ...rest]
  let bit = 0
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5
    for (let step = 0; step < size; step++) for (const x of [right, right - 1]) {
      const y = (right + 1 & 2) === 0 ? size - 1 - step : step
      if (rows[y][x] !== undefined) continue
      const dark = bit < all.length * 8 && (all[bit >> 3] >> (7 - (bit & 7)) & 1) === 1
      rows[y][x] = dark !== ((x + y) % 2 === 0)
      bit++
    }
  }
  return rows
}`

/**
 * The script that makes a recovery key (P-256) in the browser.
 *
 * Only the did:key goes into the form. The private key goes into the file, onto the paper and into
 * its QR code, and its end has to be typed before the form is sent.
 */
export const recoveryKeyScript = `(() => {
  ${qrScript}
  const form = document.querySelector("form[data-recovery-key]")
  if (!form || !window.crypto || !crypto.subtle) return
  const find = (name) => form.querySelector("[data-" + name + "]")
  const status = find("status"), end = form.querySelector("#end")
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0))
  const hex = (list) => Array.from(list, (byte) => byte.toString(16).padStart(2, "0")).join("")
  const didKey = (x, y) => {
    let value = BigInt("0x8024" + (y[31] % 2 ? "03" : "02") + hex(x)), text = ""
    for (; value > 0n; value /= 58n)
      text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[Number(value % 58n)] + text
    return "did:key:z" + text
  }
  let secret = ""
  form.hidden = false
  find("make").addEventListener("click", async () => {
    try {
      const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"])
      const { d, x, y } = await crypto.subtle.exportKey("jwk", pair.privateKey)
      secret = hex(bytes(d))
      const key = didKey(bytes(x), bytes(y))
      form.elements.key.value = key
      find("public").textContent = key
      find("private").textContent = secret
      find("save").href = "data:application/json;charset=utf-8," + encodeURIComponent(JSON.stringify({
        type: "nacre-recovery-key", curve: "p256", didKey: key, privateKey: secret, createdAt: new Date().toISOString()
      }, null, 2) + "\\n")
      const rows = qr("nacre-recovery-key:p256:" + secret)
      const svg = form.querySelector("svg"), path = document.createElementNS("http://www.w3.org/2000/svg", "path")
      svg.setAttribute("viewBox", "-4 -4 " + (rows.length + 8) + " " + (rows.length + 8))
      path.setAttribute("d", rows.flatMap((row, y) => row.map((dark, x) => dark ? "M" + x + " " + y + "h1v1h-1z" : "")).join(""))
      svg.replaceChildren(path)
      find("make").hidden = true
      find("made").hidden = false
    } catch {
      status.textContent = form.dataset.failed
    }
  })
  find("print-key").addEventListener("click", () => print())
  form.addEventListener("submit", (event) => {
    if (secret !== "" && end.value.trim().toLowerCase() === secret.slice(-6)) return
    event.preventDefault()
    status.textContent = form.dataset.wrong
    end.setAttribute("aria-invalid", "true")
    end.focus()
  })
})()`
