import * as Effect from "effect/Effect"
import { type Reader, type RelayCall, Sequencer } from "../../../services/stream/Sequencer.ts"
import { agoInWords, clientInWords } from "../account/words.ts"
import { type Html, html } from "../html.ts"
import { frame, inTerminal } from "../text/console.ts"
import { network as text } from "../text/consoleHost.ts"
import { noteAct } from "../../CurrentRequest.ts"
import { type ConsoleAction, consoleButton, type ConsolePage, done, framed } from "./frame.ts"
import type { Operating } from "./operating.ts"

const relayRow = (
  operating: Operating,
  { relay, at, ok, status, message }: RelayCall,
  now: number
): Html => {
  const { host } = new URL(relay)
  const answer = message ?? (status === undefined ? text.noAnswer : String(status))
  const says =
    at === undefined
      ? text.never
      : ok
        ? text.accepted(agoInWords(at, now))
        : text.rejected(agoInWords(at, now), answer)
  return html`<li class="row">
    <span class="grow"><strong>${host}</strong><small>${says}</small></span>
    ${consoleButton(operating, {
      action: "network/ask",
      fields: { relay },
      label: text.ask,
      name: text.askNamed(host)
    })}
  </li>`
}

const readerRow = (operating: Operating, reader: Reader, now: number): Html => {
  const { id, userAgent, network, connected, since, seen, behind } = reader
  const name = userAgent === undefined ? text.unknownReader : clientInWords(userAgent)
  const when = connected ? text.since(agoInWords(since, now)) : text.seen(agoInWords(seen, now))
  return html`<li class="row">
    <span class="grow"
      ><strong
        >${name}
        <span class="tag ${connected ? "good" : ""}"
          >${connected ? text.connected : text.gone}</span
        ></strong
      ><small>${[network, when, text.behind(behind)].filter(Boolean).join(", ")}</small></span
    >
    ${
      connected &&
      consoleButton(operating, {
        action: "network/disconnect",
        fields: { id },
        label: text.disconnect,
        name: text.disconnectNamed(name),
        danger: true
      })
    }
  </li>`
}

const listOr = (rows: ReadonlyArray<Html>, none: string): Html =>
  rows.length === 0
    ? html`<p class="hint">${none}</p>`
    : html`<ul class="list">
        ${rows}
      </ul>`

/** `/admin/console/network`: relays, and who reads the stream. */
export const networkPage: ConsolePage = {
  role: "admin",
  show: Effect.fn("console.network")(function* (operating) {
    const { now } = operating
    const sequencer = yield* Sequencer
    const { relays, readers, seq } = yield* sequencer.subscribers([])
    const { events } = yield* sequencer.status
    const body = html`<h2>${text.relays}</h2>
      <p class="hint">${text.relaysHint}</p>
      ${listOr(
        relays.map((relay) => relayRow(operating, relay, now)),
        text.noRelays
      )}
      <h2>${text.readers}</h2>
      ${listOr(
        readers.map((reader) => readerRow(operating, reader, now)),
        text.noReaders
      )}
      <h2>${text.stream}</h2>
      <dl class="facts">
        <dt>${text.newest}</dt>
        <dd>${seq}</dd>
        <dt>${text.kept}</dt>
        <dd>${events}</dd>
      </dl>
      <p class="hint">${frame.command} ${inTerminal("relays")}</p>`
    return framed(operating, { title: text.title, tab: "network", body })
  })
}

/** Asks a relay to read the stream. */
export const askRelay: ConsoleAction = {
  role: "admin",
  page: "network",
  run: Effect.fn("console.askRelay")(function* (_, form) {
    const relay = form.get("relay") ?? ""
    yield* noteAct({ act: "/admin/relays/ask", subject: relay })
    const answer = yield* (yield* Sequencer).askRelay(relay)
    return done("network", answer?.ok === true ? "asked" : "asked-in-vain")
  })
}

/** Closes a reader's connection. */
export const disconnectReader: ConsoleAction = {
  role: "admin",
  page: "network",
  run: Effect.fn("console.disconnectReader")(function* (_, form) {
    const id = form.get("id") ?? ""
    yield* noteAct({ act: "/admin/relays/disconnect", subject: id })
    yield* (yield* Sequencer).disconnect(id)
    return done("network", "disconnected")
  })
}
