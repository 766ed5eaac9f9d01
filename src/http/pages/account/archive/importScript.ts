import { ticketHeader } from "../../visitor.ts"
import { archiveImport, archiveImportScript as text } from "../../text/archiveImport.ts"

/**
 * Reads a ZIP file: `open` returns its entries by name, `contentOf` an entry's content as a Blob,
 * with size and checksum verified. Reads the file piece by piece; content may be deflated, as other
 * programs pack it. A folder around all files is left out, and so is what macOS adds.
 */
export const zipScript = `
  const fill = (name, values) => text[name].replace(/{(\\w+)}/g, (_, key) => values[key])
  class Wrong extends Error {}
  const wrong = (name, values) => Object.assign(new Wrong(fill(name, values)), { reason: name })
  const table = Uint32Array.from({ length: 256 }, (_, value) => {
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ value >>> 1 : value >>> 1
    return value
  })
  const viewOf = async (file, from, to) => new DataView(await file.slice(from, to).arrayBuffer())
  const open = async (file) => {
    const problem = (name, more) => wrong(name, { file: file.name, ...more })
    const tail = await viewOf(file, Math.max(0, file.size - 98))
    const end = tail.byteLength - 22
    if (end < 0 || (await viewOf(file, 0, 4)).getUint32(0) !== 0x504b0304) throw problem("noArchive")
    if (tail.getUint32(end) !== 0x504b0506) throw problem("cutOff")
    const wide = (view, at) => Number(view.getBigUint64(at, true))
    const isWide = tail.getUint32(end + 16, true) === 0xffffffff
    if (isWide && (end < 76 || tail.getUint32(end - 76) !== 0x504b0606)) throw problem("damaged")
    const [count, size, start] = isWide
      ? [wide(tail, end - 44), wide(tail, end - 36), wide(tail, end - 28)]
      : [tail.getUint16(end + 10, true), tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)]
    if (size > 16e6 || start + size > file.size) throw problem("damaged")
    const list = await viewOf(file, start, start + size)
    const found = new Map()
    let at = 0, total = 0
    try {
      for (let left = count; left > 0; left--) {
        if (list.getUint32(at) !== 0x504b0102) throw problem("damaged")
        const short = (place) => list.getUint16(at + place, true)
        const length = short(28), extra = short(30)
        let field = at + 46 + length + 4
        const number = (place) => {
          const value = list.getUint32(at + place, true)
          return value === 0xffffffff ? wide(list, (field += 8) - 8) : value
        }
        const raw = new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(list.buffer, at + 46, length))
        const crc = list.getUint32(at + 16, true), bytes = number(24), packed = number(20), offset = number(42)
        const method = short(10), isEncrypted = short(8) & 1
        if (/(^|[/\\\\])\\.\\.([/\\\\]|$)|^[/\\\\]|^\\w:|\\0/.test(raw)) throw problem("oddName", { name: raw.slice(0, 80) })
        at += 46 + length + extra + short(32)
        total += packed
        if (isEncrypted || method !== 0 && method !== 8) throw problem("damaged")
        if (/^__MACOSX\\/|\\/$/.test(raw)) continue
        const name = raw.replace(/^(?!blobs\\/|records\\/|lost-\\/)[^/]+\\//, "")
        if (found.has(name)) throw problem("damaged")
        found.set(name, { file, name, crc, bytes, packed, offset, method })
      }
    } catch (error) {
      throw error instanceof Wrong ? error : problem("damaged")
    }
    if (at !== size || total > file.size) throw problem("damaged")
    return found
  }
  const contentOf = async ({ file, crc: expected, bytes, packed, offset, method }) => {
    const damaged = wrong("damaged", { file: file.name })
    const head = await viewOf(file, offset, offset + 30)
    if (head.byteLength < 30 || head.getUint32(0) !== 0x504b0304) throw damaged
    const from = offset + 30 + head.getUint16(26, true) + head.getUint16(28, true)
    const stored = file.slice(from, from + packed)
    let crc = -1, length = 0
    const checked = new TransformStream({
      transform(piece, to) {
        length += piece.length
        if (length > bytes) throw damaged
        for (let at = 0; at < piece.length; at++) crc = table[(crc ^ piece[at]) & 255] ^ crc >>> 8
        if (method === 8) to.enqueue(piece)
      }
    })
    const inflated = method === 8 ? stored.stream().pipeThrough(new DecompressionStream("deflate-raw")) : stored.stream()
    try {
      const whole = await new Response(inflated.pipeThrough(checked)).blob()
      if (length !== bytes || ~crc >>> 0 !== expected) throw damaged
      return method === 8 ? whole : stored
    } catch (error) {
      throw error instanceof TypeError || error === damaged ? damaged : wrong("unreadable")
    }
  }`

/**
 * The script of the page that imports an archive: it reads the chosen files and sends what the
 * account lacks, so another attempt continues where the last one stopped.
 *
 * A busy server and a lost connection are tried again with growing pauses.
 */
export const importScript = `(() => {
  const text = ${JSON.stringify(text)}
  ${zipScript}
  const form = document.querySelector("form[data-import]")
  if (!form) return
  const find = (name) => document.querySelector("[data-" + name + "]")
  form.hidden = false
  const [status, count, alert, replace, running] = ["status", "count", "wrong", "replace", "running"].map(find)
  const [button, bar, input, box] = ["button", "progress", "input", "[data-replace] input"].map((one) => form.querySelector(one))
  if (!window.DecompressionStream) {
    alert.textContent = ${JSON.stringify(archiveImport.oldBrowser)}
    button.disabled = true
    return
  }
  let isRunning = false
  addEventListener("beforeunload", (event) => { if (isRunning) event.preventDefault() })
  const say = (name, here, of) => {
    status.textContent = text[name]
    if (of === undefined) bar.removeAttribute("value")
    else Object.assign(bar, { max: of || 1, value: here })
    count.textContent = of === undefined ? "" : fill("progress", { here, of })
  }
  const call = async (path, body, type = "application/octet-stream") => {
    const headers = { ${JSON.stringify(ticketHeader)}: form.dataset.ticket, "content-type": type }
    const answer = await fetch("/account/import/" + path, { method: "POST", body, headers, redirect: "error" })
      .catch(() => undefined)
    if (answer === undefined) throw { again: 0 }
    const reply = await answer.json().catch(() => ({}))
    if (answer.ok) return reply
    if (answer.status === 429 || answer.status >= 500) throw { again: Number(answer.headers.get("retry-after")) }
    if (answer.status === 403) throw wrong("signedOut")
    throw Object.assign(new Wrong(reply.message), { ends: reply.ends })
  }
  const patiently = async (run) => {
    for (let tries = 0; ; tries++) {
      try {
        return await run()
      } catch (error) {
        if (error.again === undefined) throw error
        if (tries === 6) throw wrong("lost")
        const before = status.textContent
        status.textContent = text.waiting
        await new Promise((go) => setTimeout(go, 1000 * Math.max(error.again, 2 ** tries)))
        status.textContent = before
      }
    }
  }
  const jsonIn = async (entry) => {
    try {
      if (entry.bytes > 16e6) throw 0
      return JSON.parse(await (await contentOf(entry)).text())
    } catch (error) {
      throw error instanceof Wrong ? error : wrong("damaged", { file: entry.file.name })
    }
  }
  const collect = async () => {
    const files = new Map(), blobs = new Map()
    for (const file of input.files) {
      const entries = await open(file)
      const named = [...entries.keys()].find((name) => /^manifest(-\\d+)?\\.json$/.test(name))
      const { type, did } = named ? await jsonIn(entries.get(named)) : {}
      if (type !== "nacre-export") throw wrong("noArchive", { file: file.name })
      if (did !== form.dataset.did) throw wrong("another", { file: file.name, did })
      for (const [name, entry] of entries) {
        const [, cid] = /^blobs\\/(\\w+)\\.\\w+$/.exec(name) || []
        if (cid) blobs.set(cid, entry)
        else if (name === "repo.car" && files.has(name)) throw wrong("several")
        else files.set(name, entry)
      }
    }
    return { files, blobs }
  }
  const importRecords = async (entry) => {
    const car = entry && await contentOf(entry)
    const head = car && await car.slice(0, 4096).arrayBuffer()
    return patiently(async () => {
      const state = await call("state", head)
      if (state.isHere) return 0
      if (!car && state.records === 0) throw wrong("firstPart")
      if (!car) return 0
      if (state.records > 0 && !box.checked) {
        replace.hidden = false
        throw wrong("replaceFirst")
      }
      say("sendingRecords")
      return (await call("records" + (state.records > 0 ? "?replace=yes" : ""), car, "application/vnd.ipld.car")).odd
    })
  }
  const importBlobs = async (blobs) => {
    const cids = []
    let cursor = "", failed = 0, done = 0
    do {
      const page = await patiently(() => call("missing?cursor=" + cursor))
      cids.push(...page.cids)
      cursor = page.cursor
    } while (cursor)
    const found = cids.filter((cid) => blobs.has(cid))
    const of = found.length
    const lane = async () => {
      for (let cid = found.pop(); cid; cid = found.pop()) {
        try {
          const content = await contentOf(blobs.get(cid))
          await patiently(() => call("blob?cid=" + cid, content))
        } catch (error) {
          if (!(error instanceof Wrong) || error.ends || ["lost", "signedOut", "unreadable"].includes(error.reason)) {
            found.length = 0
            throw error
          }
          failed++
        }
        say("sendingFiles", ++done, of)
      }
    }
    say("sendingFiles", 0, of)
    await Promise.all([lane(), lane(), lane()])
    return failed
  }
  const run = async () => {
    say("reading")
    const { files, blobs } = await collect()
    const odd = await importRecords(files.get("repo.car"))
    const failed = await importBlobs(blobs)
    const preferences = files.get("preferences.json")
    if (preferences) {
      say("sendingPreferences")
      const value = JSON.stringify(await jsonIn(preferences))
      await patiently(() => call("preferences", value, "application/json"))
    }
    const { records, expectedBlobs, importedBlobs } = await patiently(() => call("state"))
    find("records").textContent = records
    find("blobs").textContent = fill("progress", { here: importedBlobs, of: expectedBlobs })
    const missing = expectedBlobs - importedBlobs - failed
    const notes = [["missing", missing], ["failed", failed], ["odd", odd]].filter(([, count]) => count > 0)
    find("notes").replaceChildren(...notes.map(([name, count]) =>
      Object.assign(document.createElement("li"), { textContent: fill(name, { count }) })))
    find("done").hidden = false
    find("done").querySelector("h2").focus()
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    if (isRunning) return
    isRunning = button.hidden = true
    alert.textContent = ""
    running.hidden = false
    find("done").hidden = true
    try {
      await run()
    } catch (error) {
      alert.textContent = (error instanceof Wrong ? error : wrong("unreadable")).message
    }
    running.hidden = true
    isRunning = button.hidden = false
  })
})()`
